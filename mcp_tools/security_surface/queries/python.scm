; What is looked for in Python. See `patterns.py` for the settings.

; ---------------------------------------------------------------- sql-injection

((call
   function: (attribute attribute: (identifier) @name)
   arguments: (argument_list . [(keyword_argument value: (_) @argument) (_) @argument])) @finding
 (#any-of? @name "execute" "executemany" "executescript" "execute_sql" "exec_driver_sql" "raw" "fetch" "fetchrow"
   "fetchval" "fetchone" "fetchall" "query" "mogrify" "read_sql" "read_sql_query" "sql" "text" "from_statement" "RawSQL"
   "scalar" "scalars" "prepare")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as parameters."))

((call
   function: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "execute" "text" "RawSQL" "read_sql" "read_sql_query" "execute_sql" "query")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as parameters."))

; ---------------------------------------------------------------- shell-injection

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list
     . [(keyword_argument value: (_) @argument) (_) @argument]
     (keyword_argument name: (identifier) @flag value: (true)))) @finding
 (#eq? @flag "shell")
 (#any-of? @name "run" "call" "check_call" "check_output" "Popen")
 (#set! from "subprocess subprocess32")
 (#set! rule "shell-injection")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; pass a list of arguments without `shell=True`."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "system" "popen" "popen2" "popen3" "popen4" "getoutput" "getstatusoutput" "create_subprocess_shell")
 (#set! from "os subprocess commands popen2 asyncio asyncio.subprocess")
 (#set! rule "shell-injection")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; use `subprocess.run` with a list of arguments."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . [(list) (tuple)] @arguments)) @finding
 (#any-of? @name "run" "call" "check_call" "check_output" "Popen")
 (#set! from "subprocess subprocess32")
 (#set! rule "shell-injection")
 (#set! gates "imported shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself with a list of arguments."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list) @arguments) @finding
 (#any-of? @name "create_subprocess_exec" "execl" "execlp" "execle" "spawnl" "spawnlp")
 (#set! from "os asyncio asyncio.subprocess")
 (#set! rule "shell-injection")
 (#set! gates "imported shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself with a list of arguments."))

; ---------------------------------------------------------------- code-injection

((call
   function: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "eval" "exec")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`)."))

((call
   function: (attribute object: (identifier) @object attribute: (identifier) @name)
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @object "builtins" "__builtin__" "__builtins__")
 (#any-of? @name "eval" "exec")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`)."))

; ---------------------------------------------------------------- unsafe-deserialization

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "load" "loads" "Unpickler")
 (#set! from "pickle cPickle _pickle pickle5 dill cloudpickle joblib sklearn.externals.joblib marshal torch.serialization")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported foreign-data")
 (#set! confidence "medium")
 (#set! message "Whoever writes this data can run code here; use a format without code, such as JSON, for data from outside."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "read_pickle" "decode" "open")
 (#set! from "pandas jsonpickle shelve")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported foreign-data")
 (#set! confidence "medium")
 (#set! message "Whoever writes this data can run code here; use a format without code, such as JSON, for data from outside."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (_) @argument) @arguments) @finding
 (#any-of? @name "load" "load_all")
 (#not-match? @arguments "SafeLoader|BaseLoader|CSafeLoader|CBaseLoader|[Ll]oader *= *[A-Za-z_.]*[Ss]afe")
 (#not-match? @arguments "^\\([^(]*, *[A-Za-z_.]*(Safe|Base)[A-Za-z_]*\\)$")
 (#set! from "yaml")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "This YAML loader builds any Python object the text names; use `yaml.safe_load`."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "unsafe_load" "unsafe_load_all")
 (#set! from "yaml")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "This YAML loader builds any Python object the text names; use `yaml.safe_load`."))

((call
   function: (attribute object: (_) @object attribute: (identifier) @name)
   arguments: (argument_list . (_) @argument
     (keyword_argument name: (identifier) @flag value: (true)))) @finding
 (#eq? @flag "allow_pickle")
 (#eq? @name "load")
 (#set! from "numpy")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported foreign-data")
 (#set! confidence "medium")
 (#set! message "`allow_pickle=True` lets whoever writes this file run code here."))

((call
   function: (attribute object: (_) @object attribute: (identifier) @name)
   arguments: (argument_list . (_) @argument (keyword_argument name: (identifier) @flag value: (false)))) @finding
 (#eq? @flag "weights_only")
 (#eq? @name "load")
 (#set! from "torch")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "`weights_only=False` lets whoever writes this file run code here."))

; ---------------------------------------------------------------- tls-verification-disabled

((call
   function: [
     (attribute attribute: (identifier) @name)
     (identifier) @name]
   arguments: (argument_list (keyword_argument name: (identifier) @flag value: (false)) @finding))
 (#eq? @flag "verify")
 (#any-of? @name "get" "post" "put" "patch" "delete" "head" "options" "request" "stream" "send" "Client" "AsyncClient"
   "HTTPTransport" "AsyncHTTPTransport" "Session" "urlopen" "create_ssl_context" "client" "resource")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "`verify=False` accepts any certificate, also an attacker's."))

((call
   function: [
     (attribute attribute: (identifier) @name)
     (identifier) @name]
   arguments: (argument_list (keyword_argument name: (identifier) @flag value: (false)) @finding))
 (#any-of? @flag "ssl" "verify_ssl" "ssl_verify" "verify_certs" "validate_certs" "check_hostname" "ssl_check_hostname")
 (#any-of? @name "get" "post" "put" "patch" "delete" "head" "options" "request" "ws_connect" "TCPConnector"
   "ClientSession" "Elasticsearch" "AsyncElasticsearch" "OpenSearch" "Client" "Session" "fetch_url" "open_url"
   "HTTPRequest" "connect_ssl")
 (#not-eq? @flag "ssl")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((call
   function: [(attribute attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list (keyword_argument name: (identifier) @flag value: (false)) @finding))
 (#eq? @flag "ssl")
 (#any-of? @name "TCPConnector" "ws_connect")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "`ssl=False` accepts any certificate, also an attacker's."))

((assignment
   left: (attribute attribute: (identifier) @name)
   right: (false)) @finding
 (#any-of? @name "verify" "verify_ssl")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "medium")
 (#set! message "This accepts any certificate, also an attacker's."))

((assignment
   left: (attribute attribute: (identifier) @name)
   right: (false)) @finding
 (#eq? @name "check_hostname")
 (#set! rule "tls-verification-disabled")
 (#set! confidence "low")
 (#set! message "A certificate of any host is accepted, unless the host's name is checked in another way."))

((assignment
   left: (attribute attribute: (identifier) @flag)
   right: [(attribute attribute: (identifier) @name) (identifier) @name]) @finding
 (#eq? @flag "verify_mode")
 (#eq? @name "CERT_NONE")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "`CERT_NONE` accepts any certificate, also an attacker's."))

((keyword_argument
   name: (identifier) @flag
   value: [
     (attribute attribute: (identifier) @name)
     (identifier) @name
     (string (string_content) @name)]) @finding
 (#any-of? @flag "cert_reqs" "verify_mode" "ssl_cert_reqs" "tls_require_cert")
 (#any-of? @name "CERT_NONE" "NONE" "none" "never")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((call function: (attribute attribute: (identifier) @name)) @finding
 (#eq? @name "_create_unverified_context")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This context accepts any certificate, also an attacker's."))

((assignment right: (attribute attribute: (identifier) @name)) @finding
 (#eq? @name "_create_unverified_context")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This makes every HTTPS request of the process accept any certificate."))

((call
   function: (attribute attribute: (identifier) @name)
   arguments: (argument_list (call function: [
     (attribute attribute: (identifier) @policy) (identifier) @policy]))) @finding
 (#eq? @name "set_missing_host_key_policy")
 (#any-of? @policy "AutoAddPolicy" "WarningPolicy")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "Any SSH host key is accepted, also an attacker's."))

((call
   function: (attribute attribute: (identifier) @name)
   arguments: (argument_list [(attribute attribute: (identifier) @policy) (identifier) @policy])) @finding
 (#eq? @name "set_missing_host_key_policy")
 (#any-of? @policy "AutoAddPolicy" "WarningPolicy")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "Any SSH host key is accepted, also an attacker's."))

; ---------------------------------------------------------------- weak-hash

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list) @arguments) @finding
 (#any-of? @name "md5" "sha1" "md4" "sha")
 (#not-match? @arguments "usedforsecurity *= *False")
 (#set! from "hashlib")
 (#set! rule "weak-hash")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash, or say `usedforsecurity=False`."))

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list . (string (string_content) @algorithm)) @arguments) @finding
 (#eq? @name "new")
 (#any-of? @algorithm "md5" "sha1" "md4" "MD5" "SHA1" "MD4" "sha-1" "SHA-1")
 (#not-match? @arguments "usedforsecurity *= *False")
 (#set! from "hashlib")
 (#set! rule "weak-hash")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash, or say `usedforsecurity=False`."))

((call
   function: (attribute object: [(identifier) (attribute)] @object attribute: (identifier) @name)) @finding
 (#any-of? @name "new")
 (#match? @object "^(Crypto\\.Hash\\.|Cryptodome\\.Hash\\.)?(MD5|MD4|MD2|SHA1?)$")
 (#set! from "Crypto.Hash.MD5 Crypto.Hash.MD4 Crypto.Hash.MD2 Crypto.Hash.SHA Crypto.Hash.SHA1 Cryptodome.Hash.MD5 Cryptodome.Hash.MD4 Cryptodome.Hash.SHA1 Cryptodome.Hash.SHA")
 (#set! rule "weak-hash")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256 or a password hash."))

((call
   function: (attribute object: (_) @object attribute: (identifier) @name)) @finding
 (#any-of? @name "MD5" "SHA1")
 (#set! from "cryptography.hazmat.primitives.hashes")
 (#set! rule "weak-hash")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256 or a password hash."))

; ---------------------------------------------------------------- weak-random

((assignment
   left: [(identifier) @target (attribute attribute: (identifier) @target)]
   right: (_) @value) @finding
 (#match? @target "(?i)(^|_)(password|passwd|secret|token|otp|nonce|salt|csrf|api_?key|session_?id|reset_?code|auth_?code|secret_?key|iv)$")
 (#match? @value "\\brandom\\.(random|randint|randrange|choice|choices|sample|getrandbits|uniform|randbytes)\\(")
 (#not-match? @value "SystemRandom|secrets\\.|(np|numpy|rng|torch|tf)\\.random")
 (#set! words "random.")
 (#set! rule "weak-random")
 (#set! confidence "high")
 (#set! message "The output of `random` can be predicted; use `secrets`."))

; ---------------------------------------------------------------- insecure-temp-file

((call
   function: [(attribute object: (_) @object attribute: (identifier) @name) (identifier) @name]) @finding
 (#any-of? @name "mktemp" "tempnam" "tmpnam")
 (#set! from "tempfile os")
 (#set! rule "insecure-temp-file")
 (#set! gates "imported")
 (#set! confidence "high")
 (#set! message "Between naming and opening, another process can put a file or link there; use `tempfile.NamedTemporaryFile` or `mkstemp`."))

; ---------------------------------------------------------------- debug-enabled

((call
   function: (attribute object: (_) @object attribute: (identifier) @name)
   arguments: (argument_list (keyword_argument name: (identifier) @flag value: (true)) @finding))
 (#eq? @flag "debug")
 (#any-of? @name "run" "run_server")
 (#match? @object "(?i)(app|application|server|api|flask|socketio|create_app\\(.*\\)|Flask\\(.*\\)|dash)$")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "high")
 (#set! message "Debug mode shows internals to every visitor, and Flask's and Dash's run code for them; read the flag from the environment."))

((call
   function: [(attribute attribute: (identifier) @name) (identifier) @name]
   arguments: (argument_list (keyword_argument name: (identifier) @flag value: (true)) @finding))
 (#eq? @flag "debug")
 (#any-of? @name "FastAPI" "Starlette" "Litestar" "Sanic" "Application")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "medium")
 (#set! message "Debug mode shows tracebacks to every visitor; read the flag from the environment."))

((module (expression_statement (assignment left: (identifier) @name right: (true)) @finding))
 (#any-of? @name "DEBUG" "TEMPLATE_DEBUG" "DEBUG_PROPAGATE_EXCEPTIONS")
 (#set! path "(^|/)([a-z_]*settings[a-z_]*|settings/[a-z_]+|config)\\.py$")
 (#set! rule "debug-enabled")
 (#set! confidence "medium")
 (#set! message "`DEBUG = True` shows settings and tracebacks to every visitor; read the flag from the environment."))

((assignment
   left: (attribute object: (identifier) @object attribute: (identifier) @name)
   right: (true)) @finding
 (#any-of? @object "app" "application" "flask_app")
 (#eq? @name "debug")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "medium")
 (#set! message "Debug mode shows internals to every visitor; read the flag from the environment."))

((assignment
   left: (subscript value: (attribute attribute: (identifier) @config) subscript: (string (string_content) @name))
   right: (true)) @finding
 (#eq? @config "config")
 (#any-of? @name "DEBUG" "PROPAGATE_EXCEPTIONS")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "medium")
 (#set! message "Debug mode shows internals to every visitor; read the flag from the environment."))
