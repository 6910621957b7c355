; What is looked for in Go. See `patterns.py` for the settings.

; ---------------------------------------------------------------- sql-injection

((call_expression
   function: (selector_expression field: (field_identifier) @name)
   arguments: (argument_list . (_) @argument)) @finding
 (#any-of? @name "Query" "QueryRow" "Exec" "Prepare" "Queryx" "QueryRowx" "MustExec" "NamedExec" "NamedQuery" "Preparex"
   "Raw" "Where" "Having" "Order" "Select" "NewRaw" "MustQuery")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as arguments."))

((call_expression
   function: (selector_expression field: (field_identifier) @name)
   arguments: (argument_list . (_) . (_) @argument)) @finding
 (#any-of? @name "QueryContext" "QueryRowContext" "ExecContext" "PrepareContext" "Select" "Get" "GetContext" "Query"
   "QueryRow" "Exec" "QueryxContext" "MustExecContext" "NamedExecContext")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as arguments."))

((call_expression
   function: (selector_expression field: (field_identifier) @name)
   arguments: (argument_list . (_) . (_) . (_) @argument)) @finding
 (#any-of? @name "SelectContext" "GetContext")
 (#set! rule "sql-injection")
 (#set! needs "sql")
 (#set! gates "sql")
 (#set! confidence "high")
 (#set! message "This SQL is built from text that is not constant; pass the values as arguments."))

; ---------------------------------------------------------------- shell-injection

((call_expression
   function: (selector_expression operand: (_) @object field: (field_identifier) @name)
   arguments: (argument_list) @arguments) @finding
 (#any-of? @name "Command" "CommandContext")
 (#set! from "os/exec golang.org/x/sys/execabs")
 (#set! rule "shell-injection")
 (#set! gates "imported shell-list")
 (#set! confidence "high")
 (#set! message "A shell runs this command, and part of it is not constant; run the program itself with arguments."))

; ---------------------------------------------------------------- tls-verification-disabled

((keyed_element
   key: (literal_element (identifier) @name)
   value: (literal_element (true))) @finding
 (#eq? @name "InsecureSkipVerify")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "`InsecureSkipVerify` accepts any certificate, also an attacker's."))

((assignment_statement
   left: (expression_list (selector_expression field: (field_identifier) @name))
   right: (expression_list (true))) @finding
 (#eq? @name "InsecureSkipVerify")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "`InsecureSkipVerify` accepts any certificate, also an attacker's."))

((call_expression function: (selector_expression field: (field_identifier) @name)) @finding
 (#eq? @name "InsecureIgnoreHostKey")
 (#set! rule "tls-verification-disabled")
 (#set! gates "forced")
 (#set! confidence "high")
 (#set! message "Any SSH host key is accepted, also an attacker's."))

; ---------------------------------------------------------------- weak-hash

((call_expression
   function: (selector_expression operand: (_) @object field: (field_identifier) @name)) @finding
 (#any-of? @name "New" "Sum")
 (#set! from "crypto/md5 crypto/sha1 golang.org/x/crypto/md4")
 (#set! rule "weak-hash")
 (#set! gates "imported purpose")
 (#set! confidence "high")
 (#set! message "MD5 and SHA-1 no longer withstand attack; use SHA-256, or a password hash."))

; ---------------------------------------------------------------- weak-random

((short_var_declaration
   left: (expression_list . (identifier) @target)
   right: (expression_list . (call_expression
     function: (selector_expression operand: (_) @object field: (field_identifier) @name)))) @finding
 (#match? @target "(?i)(password|secret|token|otp|nonce|salt|csrf|apikey|sessionid|resetcode|authcode|secretkey)$")
 (#any-of? @name "Int" "Intn" "Int31" "Int31n" "Int63" "Int63n" "Uint32" "Uint64" "Read" "IntN" "N" "Int64" "Float64")
 (#set! from "math/rand math/rand/v2")
 (#set! rule "weak-random")
 (#set! gates "imported")
 (#set! confidence "high")
 (#set! message "The output of `math/rand` can be predicted; use `crypto/rand`."))

; ---------------------------------------------------------------- debug-enabled

((call_expression
   function: (selector_expression operand: (_) @object field: (field_identifier) @name)
   arguments: (argument_list (selector_expression field: (field_identifier) @mode))) @finding
 (#eq? @name "SetMode")
 (#eq? @mode "DebugMode")
 (#set! from "github.com/gin-gonic/gin")
 (#set! rule "debug-enabled")
 (#set! gates "imported unguarded")
 (#set! confidence "medium")
 (#set! message "Debug mode is set in the code; read it from the environment."))

((assignment_statement
   left: (expression_list (selector_expression operand: (identifier) @object field: (field_identifier) @name))
   right: (expression_list (true))) @finding
 (#any-of? @object "e" "app" "server" "echo")
 (#eq? @name "Debug")
 (#set! rule "debug-enabled")
 (#set! gates "unguarded")
 (#set! confidence "medium")
 (#set! message "Debug mode shows internals to every visitor; read it from the environment."))

((import_spec
   name: (blank_identifier)
   path: (interpreted_string_literal (interpreted_string_literal_content) @name)) @finding
 (#eq? @name "net/http/pprof")
 (#set! rule "debug-enabled")
 (#set! confidence "medium")
 (#set! message "This serves profiles and stack dumps on the default mux; serve them on a private address."))
