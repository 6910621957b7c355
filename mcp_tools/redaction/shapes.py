"""How keys are bound to values, and where a value ends: patterns. Those of keys are for text in lower case."""

from mcp_tools.redaction import keys
from mcp_tools.redaction.lazy import Lazy

_TYPE = r":[ \t]{0,4}+[\w.\[\]&?*<>'|][\w.\[\]&?*<>', |]{0,60}?[ \t]{0,4}+=(?![=>])"  # of a declaration, up to its `=`
_OPERATOR = (
    rf"[ \t]{{0,40}}+(?:{_TYPE}|(?:string|str|std::string)?[ \t]?(?:\[\w{{0,5}}\][ \t]?)?"
    r"(?::=|\?=|\|\|=|\+=|=>|:-|<-|[=!]==?|=)|"
    r":\s{0,40}+(?:\{\s{0,40}+)?[\"']?(?:value|default)[\"']?[ \t]?:|:|,|\(|%3[ad])"
    r"|>|[ \t]{1,4}+(?:value|default)[ \t]?=|</key>\s{0,40}+<string>|[ \t]{1,4}+(?=[\"'])"
    r"|[ \t]{0,4}+(?:or|else|\|\||\?\?|\?:)[ \t]{0,4}+(?=[\"'`])|\.[a-z_]{0,10}or[a-z_]{0,8}\("  # a fallback
    r"|[ \t]{1,4}+(?:is|was)[ \t]?:?[ \t]{1,4}+|[ \t]{1,4}+(?=[a-z0-9+/_=.-]{20}|[a-z0-9]{0,40}+[!#$%^&*~])"  # prose
)
_CLOSE = r"(?:[\\\"'\])}]|&quot;|&#34;|%22|%5c){0,6}+"
KEY = Lazy(rf"(?P<word>{keys.WORD})(?P<tail>[a-z0-9_.-]{{0,40}}+)(?P<close>{_CLOSE})(?P<op>{_OPERATOR})")

_END = r"(?:\r\n|\n|\r)"
_BODY_D = r"(?:[^\"\\\r\n]++|\\[^\r\n])*+"
_BODY_S = r"(?:[^'\\\r\n]++|\\[^\r\n])*+"
QUOTED = Lazy(
    r"[ \t]{0,40}+(?:\\?(?:\r\n|\n|\r)[ \t]{0,80}+)?(?:\([ \t]{0,4}+(?:(?:\r\n|\n|\r)[ \t]{0,80}+)?)?"
    r"(?:(?:new[ ])?(?:SecretStr|SecretBytes|Secret|str|bytes|[Ss]tring(?:::from)?|b64decode|base64\.b64decode|"
    r"unhexlify|atob|quote|Some)\([A-Za-z]?|[A-Za-z@$]{0,2}+)"
    rf"(?:\"\"\"(?P<d3>[^\"\\\r\n]++)\"\"\"|'''(?P<s3>[^'\\\r\n]++)'''"
    r"|\\++\"(?P<de>(?:[^\"\\\r\n]++|\\++[^\"\\\r\n])*+)\\++\"|\\++'(?P<se>(?:[^'\\\r\n]++|\\++[^'\\\r\n])*+)\\++'"
    rf"|\"(?P<d>{_BODY_D})\"|'(?P<s>{_BODY_S})'|`(?P<b>[^`\r\n]*+)`)"
)
LITERAL = Lazy(rf"\"(?P<d>{_BODY_D})\"|'(?P<s>{_BODY_S})'")
QUOTE_OR_END = Lazy(r"[\"'\r\n]")
_JOIN = r"(?:\+|\.\.?|&|\|\||<>)"
MORE = Lazy(
    rf"[ \t]{{0,40}}(?:{_JOIN}[ \t]{{0,40}}{_END}[ \t]{{0,80}}|{_END}[ \t]{{0,80}}{_JOIN}|\\{_END}|{_JOIN})?"
    rf"[ \t]{{0,80}}[A-Za-z@$]{{0,2}}+"
    rf"(?:\"(?P<d>{_BODY_D})\"|'(?P<s>{_BODY_S})')"
)
_BARE_START = r"[ \t]{0,40}+(?:&quot;|%22|&#34;)?"
_BARE_STOPS = r"\s\"'`<>(){}\[\],;|&\\"
_AND = r"&(?![A-Za-z_][\w.-]{0,60}=|[a-z]{2,6};|#\d)"  # no `&name=` of a query, no entity
_RUN = rf"[^{_BARE_STOPS}=%]"
BARE = Lazy(
    rf"{_BARE_START}(?P<bare>%?{_RUN}{{1,1000}}+(?:(?:%(?!22)|{_AND}){_RUN}{{0,200}}+){{0,12}}+={{0,2}}+)(?![(\[{{=])"
)
BARE_END = Lazy(rf"(?:[^{_BARE_STOPS}%]|%(?!22)|{_AND})*+")
ARGUMENT = Lazy(r"(?P<bare>[^\s\"'`<>|;]{4,1000}+)")
REST = Lazy(r"[ \t]{0,40}+(?P<rest>[^\s\"'`][^\r\n]{2,1000}+)")
COMMENT = Lazy(r"[ \t]+[#;].*\Z|[ \t,;]+\Z")
ELEMENT = Lazy(r"\s{0,40}+(?P<bare>[^<>\r\n]{4,8000}+)(?=\s{0,80}</)")
FLAG = Lazy(
    r"-(?<![\w-]-)-?(?P<lead>[a-z0-9_-]{0,40}?)(?P<word>"
    + keys.WORD
    + r")(?P<tail>[a-z0-9_-]{0,40}+)(?P<op>=|[ \t]{1,4}+)"
)
PAIR = Lazy(
    r"(?:name|key)[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+[\"']?(?P<name>[\w.-]{3,80}+)[\"']?,?\s{1,80}+"
    r"[\"']?value[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+(?P<quote>[\"']?)(?P<v>[^\s\"']{4,1000}+)(?P=quote)"
)  # an environment variable of a container: name on one line, value on the next
ARGUMENT_END = Lazy(r"[^\s\"'`<>|;]*+")
