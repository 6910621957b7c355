"""The formats of tokens that vendors hand out, each with the text that gives it away. Data; `tokens` reads it.

The shapes are facts taken from the vendors' documentation and from tokens they publish as samples; gitleaks and
Kingfisher served as a check-list of which vendors exist.
"""

import re
from dataclasses import dataclass

from mcp_tools.redaction.lazy import Lazy

_EDGE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))"  # also after an escape such as \n or %3D
_END = r"(?![A-Za-z0-9])"


@dataclass(frozen=True, slots=True)
class Format:
    """A token format. `pattern` starts so many characters before a keyword as one of `backs` says.

    `keywords` are the cheap test: where none stands in a text the pattern is not tried. A group named `v` is the
    secret part; without one all of the match is. `is_reportable` is False for what is private but no credential.
    """

    kind: str
    name: str
    keywords: tuple[str, ...]
    pattern: Lazy
    backs: tuple[int, ...] = (0,)
    is_reportable: bool = True

    @property
    def has_part(self) -> bool:
        """True where the secret is a part of the match."""
        return "(?P<v>" in self.pattern.pattern

    @property
    def shown_prefix(self) -> int:
        """How many of a token's first characters are the same for all tokens, and so give nothing away."""
        return 0 if any(self.backs) or self.has_part else min(map(len, self.keywords))


def _token(kind: str, name: str, keywords: str, body: str, *, is_reportable: bool = True) -> Format:
    """A format that starts with one of its keywords and goes on with a body."""
    words = tuple(keywords.split())
    lead = "|".join(map(re.escape, words))
    return Format(kind, name, words, Lazy(f"{_EDGE}(?:{lead})(?:{body}){_END}"), is_reportable=is_reportable)


def _within(
    kind: str, name: str, keywords: str, pattern: str, *, backs: tuple[int, ...] = (0,), is_reportable: bool = True
) -> Format:
    """A format whose secret is a part of the match, or stands before its keyword."""
    return Format(kind, name, tuple(keywords.split()), Lazy(pattern), backs, is_reportable)


_B64 = r"[A-Za-z0-9+/]"
_URLSAFE = r"[A-Za-z0-9_-]"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

FORMATS: tuple[Format, ...] = (
    # clouds
    _token("aws-access-key-id", "AWS access key id", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}"),
    _within(
        "aws-secret-access-key",
        "AWS secret access key",
        "ecret_access_key ecretAccessKey ECRET_ACCESS_KEY ecret-access-key ecret_key ecretKey ECRET_KEY",
        rf"(?i:ecret[_-]?(?:access[_-]?)?key)\w{{0,20}}+[\\\"'\s:=>,(]{{1,12}}+(?P<v>{_B64}{{40}})(?![A-Za-z0-9+/=])",
    ),
    _token("aws-bedrock-key", "AWS Bedrock API key", "ABSK bedrock-api-key-", rf"{_B64}{{100,300}}+={{0,2}}"),
    _token("aws-mws-token", "Amazon MWS auth token", "amzn.mws.", _UUID),
    _token("google-api-key", "Google API key", "AIza", r"[A-Za-z0-9_-]{35}"),
    _token("google-oauth-token", "Google OAuth access token", "ya29.", r"[A-Za-z0-9_.-]{20,1000}+"),
    _token("google-oauth-secret", "Google OAuth client secret", "GOCSPX-", r"[A-Za-z0-9_-]{28}"),
    _token("google-refresh-token", "Google OAuth refresh token", "1//0", r"[A-Za-z0-9_-]{40,300}+"),
    _within(
        "azure-storage-key",
        "Azure account or shared access key",
        "AccountKey= SharedAccessKey= SharedSecretValue= AccessKey=",
        rf"[A-Za-z]{{9,17}}=(?P<v>{_B64}{{40,100}}+={{0,2}})",
    ),
    _within(
        "azure-sas-signature",
        "Azure SAS signature",
        "sig=",
        r"sig=(?P<v>(?:[A-Za-z0-9+/]|%2[BbFf]){42,60}+(?:=|%3[Dd]){0,2})",
    ),
    _within(
        "azure-client-secret",
        "Azure AD client secret",
        "8Q~ 7Q~",
        rf"{_EDGE}[A-Za-z0-9_~.-]{{3}}[78]Q~[A-Za-z0-9_~.-]{{31,36}}",
        backs=(3,),
    ),
    _within(
        "azure-devops-token",
        "Azure DevOps token",
        "AZDO",
        rf"{_EDGE}[A-Za-z0-9]{{76}}AZDO[A-Za-z0-9]{{4}}{_END}",
        backs=(76,),
    ),
    _token("alibaba-access-key-id", "Alibaba Cloud access key id", "LTAI", r"[A-Za-z0-9]{12,24}"),
    _token("tencent-secret-id", "Tencent Cloud secret id", "AKID", r"[A-Za-z0-9]{32}"),
    _token("yandex-api-key", "Yandex Cloud API key", "AQVN", r"[A-Za-z0-9_-]{35,38}"),
    _token("digitalocean-token", "DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _token("heroku-api-key", "Heroku API key", "HRKU-AA", r"[A-Za-z0-9_-]{50,70}"),
    _within(
        "heroku-api-key",
        "Heroku API key",
        "heroku HEROKU Heroku",
        rf"(?i:heroku)(?:[\w.-]{{0,30}}+)[\\\"'\s:=>,(]{{1,12}}+(?P<v>{_UUID}){_END}",
    ),
    _token("fly-token", "Fly.io token", "fm1r_ fm1a_ fm2_ fo1_", r"[A-Za-z0-9+/_-]{40,2000}+={0,3}"),
    _token("cloudflare-origin-key", "Cloudflare origin CA key", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{146}"),
    _token("netlify-token", "Netlify token", "nfp_ nfc_ nfo_ nfu_ nfb_", r"[A-Za-z0-9]{36}"),
    _token("vercel-token", "Vercel token", "vcp_ vci_ vca_ vcr_ vck_ vercel_blob_rw_", r"[A-Za-z0-9_]{24,80}"),
    _token("render-key", "Render API key", "rnd_", r"[A-Za-z0-9]{28,40}"),
    _token("scaleway-key", "Scaleway access key", "SCW", r"[A-Z0-9]{17}"),
    _token("openshift-token", "OpenShift token", "sha256~", r"[A-Za-z0-9_-]{43}"),
    # code hosting, packages and continuous integration
    _token("github-token", "GitHub personal access token", "ghp_", r"[A-Za-z0-9]{36,255}+"),
    _token("github-oauth-token", "GitHub OAuth token", "gho_", r"[A-Za-z0-9]{36,255}+"),
    _token("github-app-token", "GitHub app token", "ghu_ ghs_", r"[A-Za-z0-9]{36,255}+"),
    _token("github-refresh-token", "GitHub refresh token", "ghr_", r"[A-Za-z0-9]{36,255}+"),
    _token("github-fine-grained-token", "GitHub fine-grained token", "github_pat_", r"[A-Za-z0-9_]{40,255}+"),
    _token(
        "gitlab-token",
        "GitLab token",
        "glpat- gldt- glrt- glrtr- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt-",
        r"[A-Za-z0-9_.-]{20,300}+",
    ),
    _token("gitlab-job-token", "GitLab CI job token", "glcbt-", r"[A-Za-z0-9]{1,5}_[A-Za-z0-9_-]{20}"),
    _token("gitlab-runner-token", "GitLab runner registration token", "GR1348941", r"[A-Za-z0-9_-]{20}"),
    _token("bitbucket-token", "Bitbucket app password", "ATBB", r"[A-Za-z0-9_=.-]{28,200}+"),
    _token("atlassian-token", "Atlassian API token", "ATATT3 ATCTT3", r"[A-Za-z0-9_=.-]{60,300}+"),
    _token("npm-token", "npm access token", "npm_", r"[A-Za-z0-9]{36}"),
    _token(
        "pypi-token",
        "PyPI upload token",
        "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw",
        r"[A-Za-z0-9_-]{50,1000}+",
    ),
    _token("pypi-token", "PyPI upload token", "pypi-AgE", r"[A-Za-z0-9_-]{50,1000}+"),
    _token("rubygems-token", "RubyGems API key", "rubygems_", r"[a-f0-9]{48}"),
    _token("crates-token", "crates.io API token", "cio", r"[A-Za-z0-9]{32}"),
    _token("nuget-key", "NuGet API key", "oy2", r"[a-z0-9]{43}"),
    _token("clojars-token", "Clojars deploy token", "CLOJARS_", r"[a-z0-9]{60}"),
    _token("docker-token", "Docker Hub token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_-]{27,40}"),
    _token("jfrog-token", "JFrog API key", "AKCp", r"[A-Za-z0-9]{69}"),
    _token("jfrog-reference-token", "JFrog reference token", "cmVmdGtu", r"[A-Za-z0-9]{56}"),
    _token("sonar-token", "SonarQube token", "squ_ sqp_ sqa_", r"[a-f0-9]{40}"),
    _token("sourcegraph-token", "Sourcegraph token", "sgp_", r"(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    _token("buildkite-token", "Buildkite token", "bkua_ bkaj_", r"[a-f0-9]{40}"),
    _token("circleci-token", "CircleCI token", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9]{22}_[a-f0-9]{40}"),
    _token("harness-token", "Harness token", "pat. sat.", r"[A-Za-z0-9_-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}"),
    _token("postman-key", "Postman API key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    # secrets and infrastructure
    _token("vault-token", "HashiCorp Vault token", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{24,300}+"),
    _within(
        "terraform-token",
        "Terraform Cloud token",
        ".atlasv1.",
        rf"{_EDGE}[A-Za-z0-9]{{14}}\.atlasv1\.{_URLSAFE}{{60,90}}+",
        backs=(14,),
    ),
    _token("pulumi-token", "Pulumi token", "pul-", r"[a-f0-9]{40}"),
    _token(
        "doppler-token",
        "Doppler token",
        "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        r"(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    _token("1password-token", "1Password service account token", "ops_eyJ", r"[A-Za-z0-9_-]{200,2000}+={0,3}"),
    _token(
        "1password-secret-key",
        "1Password secret key",
        "A3-",
        r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
    ),
    _token("infisical-token", "Infisical token", "st.", r"[a-f0-9]{24}\.[a-f0-9]{32}\.[a-f0-9]{32}"),
    _token("tailscale-key", "Tailscale key", "tskey-", r"[a-z]{2,12}-[A-Za-z0-9]{10,20}(?:-[A-Za-z0-9]{20,40})?"),
    _token("age-secret-key", "age secret key", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _token("databricks-token", "Databricks token", "dapi", r"[a-f0-9]{32}(?:-\d)?"),
    _token(
        "planetscale-token", "PlanetScale credential", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[A-Za-z0-9_=.-]{32,64}"
    ),
    _token("supabase-key", "Supabase key", "sbp_ sb_secret_", r"[A-Za-z0-9_-]{31,60}"),
    _token("neon-key", "Neon API key", "napi_", r"[a-z0-9]{60,70}"),
    _token("confluent-secret", "Confluent Cloud secret", "cflt", r"[A-Za-z0-9+/]{60}"),
    _token("grafana-token", "Grafana token", "glsa_", r"[A-Za-z0-9]{32}_[a-fA-F0-9]{8}"),
    _token("grafana-cloud-token", "Grafana Cloud token", "glc_eyJ", r"[A-Za-z0-9+/_-]{32,400}+={0,3}"),
    _token("new-relic-key", "New Relic key", "NRAK- NRJS- NRII- NRAA- NRRA-", r"[A-Za-z0-9]{19,42}"),
    _token("sentry-token", "Sentry token", "sntrys_ sntryu_", r"[A-Za-z0-9+/=_-]{64,500}+"),
    _token("dynatrace-token", "Dynatrace token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{8,24}\.[A-Z0-9]{64}"),
    _token("launchdarkly-key", "LaunchDarkly key", "sdk- mob- api-", _UUID),
    _token("snyk-token", "Snyk token", "snyk_uat. snyk_sat.", r"[a-f0-9]{8}\.[A-Za-z0-9_.-]{40,500}+"),
    # models
    _token("anthropic-key", "Anthropic API key", "sk-ant-", r"(?:[a-z]{3,9}\d\d-)?[A-Za-z0-9_-]{32,200}+"),
    _token("openai-key", "OpenAI API key", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"[A-Za-z0-9_-]{32,300}+"),
    _within(
        "openai-key",
        "OpenAI API key",
        "T3BlbkFJ",
        rf"{_EDGE}sk-[A-Za-z0-9]{{20}}T3BlbkFJ[A-Za-z0-9_-]{{16,100}}",
        backs=(23,),
    ),
    _token("openrouter-key", "OpenRouter API key", "sk-or-v1- sk-or-", r"[a-f0-9]{64}"),
    _token("moonshot-key", "Moonshot (Kimi) API key", "sk-kimi-", r"[A-Za-z0-9_-]{32,100}+"),
    _token("langfuse-key", "Langfuse secret key", "sk-lf-", _UUID),
    _token(
        "model-api-key", "model provider API key (sk-…: Moonshot, OpenAI, DeepSeek)", "sk-", r"[A-Za-z0-9]{32,100}+"
    ),
    _token("huggingface-token", "Hugging Face token", "hf_ api_org_", r"[A-Za-z0-9]{34,40}"),
    _token("groq-key", "Groq API key", "gsk_", r"[A-Za-z0-9]{52}"),
    _token("xai-key", "xAI API key", "xai-", r"[A-Za-z0-9]{70,90}"),
    _token("perplexity-key", "Perplexity API key", "pplx-", r"[A-Za-z0-9]{40,60}"),
    _token("replicate-token", "Replicate API token", "r8_", r"[A-Za-z0-9]{37}"),
    _token("nvidia-key", "NVIDIA API key", "nvapi-", r"[A-Za-z0-9_-]{60,70}"),
    _token("fireworks-key", "Fireworks API key", "fw_", r"[A-Za-z0-9]{22,24}"),
    _token("cerebras-key", "Cerebras API key", "csk-", r"[a-z0-9]{48}"),
    _token("langsmith-key", "LangSmith API key", "lsv2_pt_ lsv2_sk_", r"[a-f0-9]{32}_[a-f0-9]{10}"),
    _token("tavily-key", "Tavily API key", "tvly-", r"(?:dev-|prod-)?[A-Za-z0-9]{32}"),
    _token("pinecone-key", "Pinecone API key", "pcsk_", r"[A-Za-z0-9_]{60,80}"),
    # money
    _token(
        "stripe-key",
        "Stripe secret key",
        "sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_",
        r"[A-Za-z0-9]{16,250}+",
    ),
    _token("stripe-webhook-secret", "Stripe webhook secret", "whsec_", r"[A-Za-z0-9+/]{24,100}+={0,2}"),
    _token("square-token", "Square token", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_-]{22,43}"),
    _token("square-access-token", "Square access token", "EAAA", r"[A-Za-z0-9_-]{60}"),
    _token(
        "paypal-token",
        "PayPal or Braintree access token",
        "access_token$production$ access_token$sandbox$",
        r"[a-z0-9]{16}\$[a-f0-9]{32}",
    ),
    _token("razorpay-key", "Razorpay key id", "rzp_live_ rzp_test_", r"[A-Za-z0-9]{14,24}"),
    _token("flutterwave-key", "Flutterwave key", "FLWSECK-", r"[A-Za-z0-9]{32}-X"),
    _token("flutterwave-key", "Flutterwave test key", "FLWSECK_TEST-", r"[A-Za-z0-9]{12,40}-X"),
    _token("plaid-token", "Plaid access token", "access-sandbox- access-development- access-production-", _UUID),
    _token("shopify-token", "Shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_ shprt_", r"[A-Fa-f0-9]{32}"),
    _token("easypost-key", "EasyPost API key", "EZAK EZTK", r"[A-Za-z0-9]{54}"),
    _token("shippo-token", "Shippo token", "shippo_live_ shippo_test_", r"[a-fA-F0-9]{40}"),
    _token("lob-key", "Lob API key", "live_ test_", r"(?:pub_)?[a-f0-9]{35}"),
    # messages and mail
    _token("slack-token", "Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd-", r"[A-Za-z0-9%-]{10,250}+"),
    _token("slack-token", "Slack token", "xoxe.xoxb- xoxe.xoxp- xoxe-", r"\d-[A-Za-z0-9]{100,200}+"),
    _token("slack-app-token", "Slack app-level token", "xapp-", r"\d-[A-Z0-9]+-\d{5,20}-[a-z0-9]{30,100}+"),
    _within(
        "slack-webhook",
        "Slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?P<v>(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{30,100}+)",
    ),
    _within(
        "teams-webhook",
        "Microsoft Teams webhook",
        ".webhook.office.com/",
        r"\.webhook\.office\.com/(?P<v>webhookb2/[A-Za-z0-9@/-]{60,250}+)",
    ),
    _within(
        "discord-webhook",
        "Discord webhook",
        "/api/webhooks/",
        r"(?:discord(?:app)?\.com)/api/webhooks/(?P<v>\d{17,20}/[A-Za-z0-9_-]{60,80}+)",
        backs=(11, 14),
    ),
    _token(
        "discord-token",
        "Discord bot token",
        "MD MT Mj Mz ND NT Nj Nz OD OT",  # the ways in which base64 of a number starts
        r"[A-Za-z0-9_-]{22,26}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,40}",
    ),
    _within(
        "telegram-token",
        "Telegram bot token",
        ":A",
        rf"{_EDGE}\d{{8,10}}:A[A-Za-z0-9_-]{{34}}{_END}",
        backs=(8, 9, 10),
    ),
    _token("twilio-key", "Twilio API key", "SK", r"[0-9a-f]{32}"),
    _token("twilio-account-sid", "Twilio account SID", "AC", r"[0-9a-f]{32}", is_reportable=False),
    _token("sendgrid-key", "SendGrid API key", "SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    _token("mailgun-key", "Mailgun key", "key- pubkey-", r"[0-9a-f]{32}"),
    _token("brevo-key", "Brevo API key", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _within(
        "mailchimp-key",
        "Mailchimp API key",
        "-us",
        rf"{_EDGE}[0-9a-f]{{32}}-us\d{{1,2}}{_END}",
        backs=(32,),
    ),
    _token(
        "facebook-token", "Facebook access token", "EAAC EAAB EAAG EAAM EAAD EAAE EAAF EAAJ", r"[A-Za-z0-9]{80,400}+"
    ),
    _token("instagram-token", "Instagram token", "IGQVJ IGAA", r"[A-Za-z0-9_-]{80,400}+"),
    _token("twitter-bearer", "X (Twitter) bearer token", "AAAAAAAAAAAAAAAAAAAAA", r"[A-Za-z0-9%]{60,140}+"),
    _token("zoho-token", "Zoho token", "1000.", r"[a-f0-9]{32}\.[a-f0-9]{32}"),
    # work
    _token("linear-key", "Linear API key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{40,64}"),
    _token("notion-token", "Notion token", "secret_", r"[A-Za-z0-9]{43}"),
    _token("notion-token", "Notion token", "ntn_", r"[A-Za-z0-9]{43,50}"),
    _token("airtable-token", "Airtable token", "pat", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _token("figma-token", "Figma token", "figd_ figo_", r"[A-Za-z0-9_-]{40,60}"),
    _token("hubspot-token", "HubSpot token", "pat-na1- pat-na2- pat-eu1-", _UUID),
    _token("dropbox-token", "Dropbox token", "sl.", r"(?:u\.)?[A-Za-z0-9_-]{130,1200}+"),
    _token("typeform-token", "Typeform token", "tfp_", r"[A-Za-z0-9_.=-]{40,64}"),
    _token("contentful-token", "Contentful token", "CFPAT-", r"[A-Za-z0-9_-]{43}"),
    _token("mapbox-token", "Mapbox secret token", "sk.eyJ", r"[A-Za-z0-9_-]{40,200}\.[A-Za-z0-9_-]{20,40}"),
    _token("prefect-key", "Prefect API key", "pnu_", r"[A-Za-z0-9]{36}"),
    _token("readme-key", "ReadMe API key", "rdme_", r"[a-z0-9]{70}"),
    _token("adobe-secret", "Adobe client secret", "p8e-", r"[A-Za-z0-9_-]{32}"),
    _token("adafruit-key", "Adafruit IO key", "aio_", r"[A-Za-z0-9]{28}"),
    _token("duffel-token", "Duffel token", "duffel_test_ duffel_live_", r"[A-Za-z0-9_=-]{43}"),
    _token("frameio-token", "Frame.io token", "fio-u-", r"[A-Za-z0-9_=-]{64}"),
    # any vendor
    _token(
        "jwt",
        "JSON web token",
        "eyJ",
        r"[A-Za-z0-9_-]{10,4000}+\.eyJ[A-Za-z0-9_-]{8,8000}+\.(?:[A-Za-z0-9_-]{10,2000}+)?",
    ),
    _token(
        "jwe",
        "encrypted JSON web token",
        "eyJ",
        r"[A-Za-z0-9_-]{10,2000}+\.[A-Za-z0-9_-]{0,1000}+\.[A-Za-z0-9_-]{12,24}\.[A-Za-z0-9_-]{16,8000}+\.[A-Za-z0-9_-]{16,24}",
    ),
    _within(
        "password-hash", "password hash", "$2a$ $2b$ $2y$", r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}", is_reportable=False
    ),
    _within(
        "password-hash", "password hash", "$argon2", r"\$argon2(?:id|i|d)\$[\w=,$+/.-]{30,300}+", is_reportable=False
    ),
    _within(
        "password-hash",
        "password hash",
        "$1$ $5$ $6$ $y$ $apr1$",
        r"\$(?:1|5|6|y|apr1)\$[\w./=$-]{20,200}+",
        is_reportable=False,
    ),
    _within(
        "password-hash",
        "password hash",
        "pbkdf2_sha256$",
        r"pbkdf2_sha256\$\d+\$[\w./+=$-]{20,200}+",
        is_reportable=False,
    ),
)
"""Every known format, the more specific one first: where two match at one place the first one names it."""
