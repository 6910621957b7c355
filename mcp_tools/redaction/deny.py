"""Paths whose files are never read for a model, whatever a policy says. Data."""

import re

_NAMES = re.compile(
    r"""
    \.env(?:\..*|rc)? | .*\.env | env\.local
    | .*\.(?:pem|key|pfx|p12|p8|jks|jceks|bks|keystore|truststore|ppk|pkcs12|asc\.key|gpg|kdbx?|agekey|ovpn|mobileprovision|keytab|tfvars)
    | .*\.(?:auto\.)?tfvars(?:\.json)? | (?:.*\.)?tfstate(?:\..*)? | .*\.tfstate\.backup
    | (?:id|ssh_host)_(?:rsa|dsa|ecdsa|ed25519)(?:_sk|_key)*(?:[-_.].*)?
    | [._]netrc | \.git-credentials | \.?htpasswd | \.pgpass | pgpass\.conf | \.my\.cnf | \.mylogin\.cnf
    | \.npmrc | \.yarnrc\.yml | \.pypirc | \.cargo-credentials | \.gem_credentials | nuget\.config | \.nuget\.config | \.s3cfg | \.boto
    | \.dockercfg | \.dockerconfigjson | kubeconfig(?:[._-](?!(?:.*\.)?(?:md|rst|go|py|[jt]sx?|tf|sh|java|rs)$).*)? | .*[._-]kubeconfig(?:\.ya?ml)? | \.terraformrc | terraform\.rc
    | \.vault-token | \.vault[_-]pass(?:word)?(?:\.txt)? | \.vault_password_file | master\.key | credentials\.yml\.enc
    | application_default_credentials\.json | (?:client|google)[-_]?(?:secret|credentials?)s?.*\.json | service[-_]?account.*\.json
    | .*[-_.]service[-_]?account.*\.json | gha-creds-.*\.json | credentials(?:\.(?:json|ya?ml|toml|ini|csv|xml|db))? | secrets?\.(?:json|ya?ml|toml|ini|env|properties|xml)
    | access_tokens\.db | legacy_credentials | msal_token_cache\..* | accesstokens\.json | azureprofile\.json
    | wallet\.dat | \.bash_history | \.zsh_history | \.python_history | \.psql_history | \.mysql_history | \.node_repl_history
    | secring\..* | \.secrets? | \.?authinfo(?:\.gpg)? | \.rhosts | \.kaggle\.json | kaggle\.json
    """,
    re.VERBOSE,
)
_PATHS = re.compile(
    r"""
    (?:.*/)? (?:
      \.aws/(?:credentials|config|sso/.*|cli/cache/.*) | \.docker/config\.json | \.kube/(?:config|cache/.*) | \.gnupg/.* | \.ssh/(?!.*\.pub$|known_hosts|authorized_keys).*
    | (?:\.config/)?gcloud/.* | \.azure/.* | \.cargo/credentials(?:\.toml)? | \.gem/credentials | \.config/(?:gh|hub|glab-cli|op|doctl|rclone|netlify)/.*
    | \.terraform\.d/credentials\.tfrc\.json | \.config/containers/auth\.json | etc/(?:shadow|gshadow|sudoers|ppp/chap-secrets)
    | \.password-store/.* | \.local/share/keyrings/.* | run/secrets/.* | \.subversion/auth/.* | \.m2/settings(?:-security)?\.xml | \.databrickscfg | \.snowflake/.*
    )
    """,
    re.VERBOSE,
)
_SAMPLES = re.compile(
    r"(?:.*[._-])?env(?:rc)?[._-](?:.*[._-])?(?:example|sample|template|tmpl|dist|defaults?|schema)|(?:.*[._-])?(?:example|sample|template|tmpl)\.env"
)
_PUBLIC = re.compile(
    r".*\.pub|(?:.*[._-])?public[._-]?(?:key)?\.(?:pem|key|gpg|asc)|.*[._-]pub\.(?:pem|key)|cacert\.pem|ca-bundle\.pem"
)


def is_denied(path: str) -> bool:
    """Say whether a path names a file that exists to hold secrets (`.env`, `id_rsa`, `*.pem`, `.aws/credentials`, …).

    Case does not matter, nor which slash separates folders. Samples (`.env.example`) and public keys are not denied.
    """
    path = path.replace("\\", "/").lower().removeprefix("./")
    name = path.rsplit("/", 1)[-1].rstrip(" .")
    if _SAMPLES.fullmatch(name) or _PUBLIC.fullmatch(name):
        return False
    return _NAMES.fullmatch(name) is not None or _PATHS.fullmatch(path) is not None
