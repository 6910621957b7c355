; What is looked for in Java. See `patterns.py` for the settings.

; ---------------------------------------------------------------- sql-injection

((method_invocation
   name: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "executeQuery" "execute" "executeUpdate" "executeLargeUpdate" "addBatch" "prepareStatement" "prepareCall"
   "createQuery" "createNativeQuery" "createSQLQuery" "nativeQuery" "queryForObject" "queryForList" "queryForMap"
   "queryForRowSet" "query" "update" "batchUpdate" "nativeSQL" "rawQuery" "execSQL" "sql" "createStatement" "sqlQuery")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; use a prepared statement with parameters."))

; ---------------------------------------------------------------- shell-injection

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (array_creation_expression value: (array_initializer) @arguments))) @finding
 (#match? @object "getRuntime\\(\\)$|^(rt|runtime)$")
 (#eq? @name "exec")
 (#set! rule "shell-injection")
 (#set! gates "shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#match? @object "getRuntime\\(\\)$|^(rt|runtime)$")
 (#eq? @name "exec")
 (#set! rule "shell-injection")
 (#set! gates "built")
 (#set! confidence "high")
 (#set! message "This command line is split at spaces, and part of it is not constant; pass an array of arguments."))

((object_creation_expression
   type: (type_identifier) @name
   arguments: (argument_list) @arguments) @finding
 (#eq? @name "ProcessBuilder")
 (#set! rule "shell-injection")
 (#set! gates "shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself."))

((object_creation_expression
   type: (type_identifier) @name
   arguments: (argument_list . [
     (method_invocation arguments: (argument_list) @arguments)
     (array_creation_expression value: (array_initializer) @arguments)])) @finding
 (#eq? @name "ProcessBuilder")
 (#set! rule "shell-injection")
 (#set! gates "shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list) @arguments) @finding
 (#eq? @name "command")
 (#match? @object "(?i)(pb|builder|processbuilder(\\(\\))?)$")
 (#set! rule "shell-injection")
 (#set! gates "shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself."))

; ---------------------------------------------------------------- code-injection

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#eq? @name "eval")
 (#match? @object "(?i)(engine|scriptengine|js|nashorn|groovy|shell|interpreter|getEngineByName\\(.*\\))$")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as a script."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#eq? @name "evaluate")
 (#match? @object "(?i)GroovyShell\\(.*\\)$|^(groovy)?shell$")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is run as a script."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (_) @argument)) @finding
 (#eq? @name "parseExpression")
 (#match? @object "(?i)(parser|spel|SpelExpressionParser\\(\\))$")
 (#set! rule "code-injection")
 (#set! gates "foreign-code")
 (#set! confidence "medium")
 (#set! message "Text that is not constant is parsed as a Spring expression, which can call any method."))

; ---------------------------------------------------------------- unsafe-deserialization

((object_creation_expression
   type: (type_identifier) @name
   arguments: (argument_list . (_))) @finding
 (#any-of? @name "ObjectInputStream" "XMLDecoder")
 (#set! rule "unsafe-deserialization")
 (#set! confidence "medium")
 (#set! message "Whoever writes this stream can run code here; use a format without code, or set an `ObjectInputFilter`."))

((method_invocation
   object: (object_creation_expression type: (type_identifier) @type arguments: (argument_list) @empty)
   name: (identifier) @name) @finding
 (#eq? @type "Yaml")
 (#any-of? @name "load" "loadAll" "loadAs")
 (#not-match? @empty "SafeConstructor")
 (#set! rule "unsafe-deserialization")
 (#set! confidence "medium")
 (#set! message "SnakeYAML before 2.0 builds any class the text names; use `new Yaml(new SafeConstructor(…))`."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (_))) @finding
 (#eq? @name "fromXML")
 (#match? @object "(?i)xstream")
 (#set! rule "unsafe-deserialization")
 (#set! confidence "medium")
 (#set! message "XStream builds the classes that the text names; allow only the types that are expected."))

((method_invocation name: (identifier) @name) @finding
 (#any-of? @name "enableDefaultTyping" "activateDefaultTyping")
 (#not-match? @finding "PolymorphicTypeValidator|ptv|validator")
 (#set! rule "unsafe-deserialization")
 (#set! confidence "high")
 (#set! message "With default typing, Jackson builds the classes that the text names."))

((annotation
   name: (identifier) @name
   arguments: (annotation_argument_list (element_value_pair value: (field_access field: (identifier) @value)))) @finding
 (#eq? @name "JsonTypeInfo")
 (#any-of? @value "CLASS" "MINIMAL_CLASS")
 (#set! rule "unsafe-deserialization")
 (#set! confidence "high")
 (#set! message "Jackson builds the class that the text names; use `Id.NAME` with a list of subtypes."))

; ---------------------------------------------------------------- tls-verification-disabled

((field_access field: (identifier) @name) @finding
 (#any-of? @name "ALLOW_ALL_HOSTNAME_VERIFIER")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "The certificate of any host is accepted, also an attacker's."))

((field_access object: (identifier) @name field: (identifier) @field) @finding
 (#any-of? @name "NoopHostnameVerifier" "InsecureTrustManagerFactory" "TrustAllStrategy")
 (#eq? @field "INSTANCE")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((object_creation_expression type: (type_identifier) @name) @finding
 (#any-of? @name "NoopHostnameVerifier" "AllowAllHostnameVerifier" "TrustAllStrategy")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((method_declaration
   name: (identifier) @name
   body: (block) @body) @finding
 (#eq? @name "checkServerTrusted")
 (#set! rule "tls-verification-disabled")
 (#set! gates "no-check")
 (#set! confidence "high")
 (#set! message "This trust manager accepts any certificate, also an attacker's."))

((method_invocation
   name: (identifier) @name
   arguments: (argument_list (lambda_expression body: (true)))) @finding
 (#any-of? @name "setHostnameVerifier" "setDefaultHostnameVerifier" "hostnameVerifier" "setSSLHostnameVerifier")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "The certificate of any host is accepted, also an attacker's."))

((method_declaration
   name: (identifier) @name
   parameters: (formal_parameters (formal_parameter) (formal_parameter type: (type_identifier) @type))
   body: (block . (return_statement (true)) .)) @finding
 (#eq? @name "verify")
 (#eq? @type "SSLSession")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "The certificate of any host is accepted, also an attacker's."))

; ---------------------------------------------------------------- weak-hash

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (string_literal (string_fragment) @algorithm))) @finding
 (#match? @object "MessageDigest$")
 (#eq? @name "getInstance")
 (#any-of? @algorithm "MD5" "MD2" "MD4" "SHA-1" "SHA1" "SHA" "md5" "sha-1" "sha1")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

((method_invocation
   object: (identifier) @object
   name: (identifier) @name) @finding
 (#any-of? @object "DigestUtils" "Hashing")
 (#any-of? @name "md5" "md5Hex" "sha1" "sha1Hex" "sha" "shaHex" "getMd5Digest" "getSha1Digest" "md5DigestAsHex" "md2" "md2Hex")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

; ---------------------------------------------------------------- weak-random

((variable_declarator
   name: (identifier) @target
   value: (_) @value) @finding
 (#match? @target "(?i)(password|secret|token|otp|nonce|salt|csrf|api_?key|session_?id|reset_?code|auth_?code|secret_?key)$")
 (#match? @value "\\b(new Random\\(\\)\\.next|Math\\.random\\(|ThreadLocalRandom\\.current\\(\\)\\.next|RandomStringUtils\\.random)")
 (#set! words "Random random")
 (#set! rule "weak-random")
 (#set! confidence "high")
 (#set! message "This generator can be predicted; use `SecureRandom`."))

; ---------------------------------------------------------------- debug-enabled

((annotation
   name: (identifier) @name
   arguments: (annotation_argument_list (element_value_pair key: (identifier) @key value: (true)))) @finding
 (#eq? @name "EnableWebSecurity")
 (#eq? @key "debug")
 (#set! rule "debug-enabled")
 (#set! confidence "high")
 (#set! message "Spring Security's debug mode logs requests with their headers and session ids."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (true) .)) @finding
 (#eq? @name "setWebContentsDebuggingEnabled")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "high")
 (#set! message "Any program on the computer that is connected to the phone can drive this WebView."))

((method_invocation
   object: (_) @object
   name: (identifier) @name
   arguments: (argument_list . (true) .)) @finding
 (#eq? @name "debug")
 (#match? @object "(?i)(web(security)?|security)$")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "medium")
 (#set! message "Spring Security's debug mode logs requests with their headers and session ids."))
