; What is looked for in JavaScript, TypeScript and TSX: the three grammars share these nodes. See `patterns.py`.

; ---------------------------------------------------------------- sql-injection

((call_expression
   function: (member_expression property: (property_identifier) @name)
   arguments: (arguments . (_) @argument)) @finding
 (#any-of? @name "query" "execute" "raw" "run" "all" "get" "each" "exec" "prepare" "whereRaw" "orderByRaw" "havingRaw"
   "selectRaw" "joinRaw" "literal" "unsafe" "one" "oneOrNone" "many" "manyOrNone" "any" "none" "$queryRawUnsafe"
   "$executeRawUnsafe" "queryRaw" "createQueryBuilder" "multi")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as parameters."))

((call_expression
   function: (member_expression property: (property_identifier) @name)
   arguments: (arguments . (object (pair
     key: (property_identifier) @key value: (_) @argument)))) @finding
 (#any-of? @name "query" "execute")
 (#any-of? @key "text" "sql" "query")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as parameters."))

; ---------------------------------------------------------------- shell-injection

((call_expression
   function: [(member_expression object: (_) @object property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments . (_) @argument)) @finding
 (#any-of? @name "exec" "execSync")
 (#set! from "child_process child-process-promise")
 (#set! rule "shell-injection")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; use `execFile` with a list of arguments."))

((call_expression
   function: [(member_expression object: (_) @object property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments
     . (_) @argument
     (object (pair key: (property_identifier) @flag value: [(true) (string)])))) @finding
 (#eq? @flag "shell")
 (#any-of? @name "spawn" "spawnSync" "execFile" "execFileSync")
 (#set! from "child_process cross-spawn")
 (#set! rule "shell-injection")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; leave out `shell`."))

((call_expression
   function: [(member_expression object: (_) @object property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments
     . (string (string_fragment) @shell)
     . (array . (string (string_fragment) @option) . (_) @argument))) @finding
 (#any-of? @name "spawn" "spawnSync" "execFile" "execFileSync")
 (#any-of? @shell "sh" "bash" "zsh" "/bin/sh" "/bin/bash" "cmd" "cmd.exe" "powershell" "pwsh")
 (#any-of? @option "-c" "/c" "-lc" "/C" "-Command")
 (#set! from "child_process cross-spawn")
 (#set! rule "shell-injection")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself."))

; ---------------------------------------------------------------- code-injection

((call_expression
   function: (identifier) @name
   arguments: (arguments . (_) @argument)) @finding
 (#eq? @name "eval")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as JavaScript; parse it instead (`JSON.parse`)."))

((call_expression
   function: (member_expression object: (identifier) @object property: (property_identifier) @name)
   arguments: (arguments . (_) @argument)) @finding
 (#eq? @name "eval")
 (#any-of? @object "window" "globalThis" "global" "self")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as JavaScript; parse it instead (`JSON.parse`)."))

((new_expression
   constructor: (identifier) @name
   arguments: (arguments (_) @argument .)) @finding
 (#eq? @name "Function")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is compiled as JavaScript."))

((call_expression
   function: [(member_expression object: (_) @object property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments . (_) @argument)) @finding
 (#any-of? @name "runInNewContext" "runInThisContext" "runInContext" "compileFunction")
 (#set! from "vm")
 (#set! rule "code-injection")
 (#set! gates "imported foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as JavaScript, and `vm` is no sandbox."))

((call_expression
   function: (identifier) @name
   arguments: (arguments . [(template_string (template_substitution)) (binary_expression operator: "+")] @argument)) @finding
 (#any-of? @name "setTimeout" "setInterval")
 (#set! rule "code-injection")
 (#set! gates "dynamic")
 (#set! confidence "high")
 (#set! message "Text that is not constant is run as JavaScript; pass a function."))

; ---------------------------------------------------------------- unsafe-deserialization

((call_expression
   function: [(member_expression object: (_) @object property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments . (_) @argument)) @finding
 (#any-of? @name "unserialize" "deepDeserialize" "parse" "deserialize")
 (#set! from "node-serialize serialize-to-js funcster cryo")
 (#set! rule "unsafe-deserialization")
 (#set! gates "imported dynamic")
 (#set! confidence "high")
 (#set! message "Whoever writes this data can run code here; use `JSON.parse`."))

((call_expression
   function: [(member_expression property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments . (_) @argument
     (object (pair value: [
       (member_expression property: (property_identifier) @schema)
       (identifier) @schema])))) @finding
 (#any-of? @name "load" "loadAll")
 (#any-of? @schema "DEFAULT_FULL_SCHEMA")
 (#set! rule "unsafe-deserialization")
 (#set! gates "dynamic")
 (#set! confidence "high")
 (#set! message "This schema lets a YAML text define functions; use the default schema."))

; ---------------------------------------------------------------- tls-verification-disabled

((pair key: [(property_identifier) @name (string (string_fragment) @name)] value: (false)) @finding
 (#any-of? @name "rejectUnauthorized" "strictSSL" "strictSsl")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((pair key: [(property_identifier) @name (string (string_fragment) @name)] value: (true)) @finding
 (#any-of? @name "insecureSkipVerify" "insecureSkipTlsVerify" "trustAllCertificates")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((assignment_expression
   left: (member_expression property: (property_identifier) @name)
   right: (false)) @finding
 (#any-of? @name "rejectUnauthorized" "strictSSL")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((assignment_expression
   left: [
     (member_expression property: (property_identifier) @name)
     (subscript_expression index: (string (string_fragment) @name))]
   right: [(string (string_fragment) @value) (number) @value]) @finding
 (#eq? @name "NODE_TLS_REJECT_UNAUTHORIZED")
 (#eq? @value "0")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This makes every TLS connection of the process accept any certificate."))

; ---------------------------------------------------------------- weak-hash

((call_expression
   function: [(member_expression property: (property_identifier) @name) (identifier) @name]
   arguments: (arguments . (string (string_fragment) @algorithm))) @finding
 (#eq? @name "createHash")
 (#any-of? @algorithm "md5" "sha1" "md4" "MD5" "SHA1" "RSA-MD5" "RSA-SHA1" "ripemd160")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use `sha256`, or a password hash."))

((call_expression
   function: (member_expression object: (identifier) @object property: (property_identifier) @name)) @finding
 (#eq? @object "CryptoJS")
 (#any-of? @name "MD5" "SHA1")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

((call_expression
   function: (identifier) @name
   arguments: (arguments . (_))) @finding
 (#any-of? @name "md5" "sha1")
 (#set! rule "weak-hash")
 (#set! from "md5 sha1 blueimp-md5 js-md5 js-sha1 crypto-js/md5 crypto-js/sha1")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

; ---------------------------------------------------------------- weak-random

((variable_declarator
   name: (identifier) @target
   value: [(call_expression) (binary_expression) (template_string)] @value) @finding
 (#match? @target "(?i)(^|_|[a-z])(password|passwd|secret|token|otp|nonce|salt|csrf|api_?key|session_?id|reset_?code|auth_?code|secret_?key)$")
 (#match? @value "\\bMath\\.random\\(\\)")
 (#set! words "Math.random")
 (#set! rule "weak-random")
 (#set! confidence "high")
 (#set! message "`Math.random` can be predicted; use `crypto.randomBytes` or `crypto.getRandomValues`."))

((assignment_expression
   left: [(identifier) @target (member_expression property: (property_identifier) @target)]
   right: [(call_expression) (binary_expression) (template_string)] @value) @finding
 (#match? @target "(?i)(^|_|[a-z])(password|passwd|secret|token|otp|nonce|salt|csrf|api_?key|session_?id|reset_?code|auth_?code|secret_?key)$")
 (#match? @value "\\bMath\\.random\\(\\)")
 (#set! words "Math.random")
 (#set! rule "weak-random")
 (#set! confidence "high")
 (#set! message "`Math.random` can be predicted; use `crypto.randomBytes` or `crypto.getRandomValues`."))

; ---------------------------------------------------------------- debug-enabled

((call_expression
   function: (member_expression object: (identifier) @app property: (property_identifier) @method)
   arguments: (arguments (call_expression function: (identifier) @name))) @finding
 (#eq? @method "use")
 (#any-of? @app "app" "server" "router")
 (#any-of? @name "errorHandler" "errorhandler")
 (#set! rule "debug-enabled")
 (#set! from "errorhandler")
 (#set! gates "imported unguarded")
 (#set! confidence "medium")
 (#set! message "`errorhandler` shows stack traces to every visitor; use it in development only."))
