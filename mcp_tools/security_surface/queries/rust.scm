; What is looked for in Rust. See `patterns.py` for the settings.

; ---------------------------------------------------------------- sql-injection

((call_expression
   function: [
     (scoped_identifier name: (identifier) @name)
     (identifier) @name
     (field_expression field: (field_identifier) @name)
     (generic_function function: [
       (scoped_identifier name: (identifier) @name)
       (identifier) @name
       (field_expression field: (field_identifier) @name)])]
   arguments: (arguments . (_) @argument)) @finding
 (#any-of? @name "query" "query_as" "query_scalar" "query_with" "sql_query" "execute" "query_row" "query_one" "query_opt"
   "prepare" "batch_execute" "execute_batch" "simple_query" "query_map" "query_drop" "query_first" "exec" "exec_drop" "fetch_all" "raw_sql"
   "query_iter" "from_string" "from_sql_and_values")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; bind the values."))

((call_expression
   function: (scoped_identifier name: (identifier) @name)
   arguments: (arguments . (_) . (_) @argument)) @finding
 (#any-of? @name "from_string" "from_sql_and_values")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; bind the values."))

; ---------------------------------------------------------------- shell-injection

((call_expression
   function: (field_expression value: (_) @object field: (field_identifier) @name)
   arguments: (arguments . (_) @argument)) @finding
 (#eq? @name "arg")
 (#set! rule "shell-injection")
 (#set! gates "shell-chain")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself with arguments."))

((call_expression
   function: (field_expression
     value: (call_expression arguments: (arguments . (string_literal (string_content) @shell)))
     field: (field_identifier) @name)
   arguments: (arguments [
     (array_expression . (string_literal (string_content) @option) . (_) @argument)
     (reference_expression (array_expression . (string_literal (string_content) @option) . (_) @argument))])) @finding
 (#eq? @name "args")
 (#any-of? @shell "sh" "bash" "/bin/sh" "/bin/bash" "zsh" "cmd" "cmd.exe" "powershell" "pwsh")
 (#any-of? @option "-c" "/C" "/c" "-lc" "-Command")
 (#set! rule "shell-injection")
 (#set! gates "dynamic")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself with arguments."))

; ---------------------------------------------------------------- tls-verification-disabled

((call_expression
   function: (field_expression field: (field_identifier) @name)
   arguments: (arguments . (boolean_literal) @value)) @finding
 (#any-of? @name "danger_accept_invalid_certs" "danger_accept_invalid_hostnames" "accept_invalid_certs"
   "accept_invalid_hostnames" "tls_danger_accept_invalid_certs" "tls_danger_accept_invalid_hostnames")
 (#eq? @value "true")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

((call_expression
   function: (field_expression field: (field_identifier) @name)
   arguments: (arguments . (boolean_literal) @value)) @finding
 (#any-of? @name "verify_hostname" "use_sni_and_verify" "set_verify_hostname")
 (#eq? @value "false")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "The certificate of any host is accepted, also an attacker's."))

((call_expression
   function: (field_expression field: (field_identifier) @name)
   arguments: (arguments . (scoped_identifier path: (_) @type name: (identifier) @value))) @finding
 (#any-of? @name "set_verify" "set_verify_callback")
 (#match? @type "SslVerifyMode$")
 (#eq? @value "NONE")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This accepts any certificate, also an attacker's."))

; rustls: a verifier that says yes to everything
((function_item
   name: (identifier) @name
   body: (block . (call_expression
     function: (identifier) @ok
     arguments: (arguments . (call_expression function: (scoped_identifier name: (identifier) @assertion)))) .)) @finding
 (#eq? @name "verify_server_cert")
 (#eq? @ok "Ok")
 (#eq? @assertion "assertion")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "This verifier accepts any certificate, also an attacker's."))

; ---------------------------------------------------------------- weak-hash

((call_expression
   function: (scoped_identifier path: (_) @object name: (identifier) @name)) @finding
 (#match? @object "(^|::)(Md5|Md4|Md2|Sha1)$")
 (#any-of? @name "new" "digest" "default" "new_with_prefix" "from")
 (#set! words "Md5 Md4 Md2 Sha1")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

((call_expression
   function: (scoped_identifier path: (identifier) @object name: (identifier) @name)) @finding
 (#eq? @object "md5")
 (#eq? @name "compute")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 no longer withstands attack; use SHA-256, or a password hash."))

((call_expression
   function: (scoped_identifier path: (_) @object name: (identifier) @name)) @finding
 (#match? @object "MessageDigest$")
 (#any-of? @name "md5" "sha1")
 (#set! words "MessageDigest")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

((scoped_identifier name: (identifier) @name) @finding
 (#eq? @name "SHA1_FOR_LEGACY_USE_ONLY")
 (#set! rule "weak-hash")
 (#set! gates "purpose")
 (#set! confidence "high")
 (#set! message "SHA-1 no longer withstands attack; use SHA-256, or a password hash."))
