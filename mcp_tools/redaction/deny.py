"""Paths whose files are never read for a model, whatever a policy says. Data."""

import re
from fnmatch import translate
from functools import cache

_NAMES = """
    .env .env.* .envrc *.env env.local *.tfvars *.tfvars.json *.tfstate *.tfstate.* .terraformrc terraform.rc
    *.pem *.key *.pfx *.p12 *.p8 *.pkcs12 *.jks *.jceks *.bks *.keystore *.truststore *.ppk *.gpg *.kdb *.kdbx *.agekey
    *.keytab *.ovpn *.mobileprovision secring.* wallet.dat master.key credentials.yml.enc
    id_rsa* id_dsa* id_ecdsa* id_ed25519* ssh_host_*_key .netrc _netrc .git-credentials .htpasswd htpasswd .pgpass
    pgpass.conf .my.cnf .mylogin.cnf .authinfo .rhosts .vault-token .vault_pass .vault_pass.txt .vault-pass
    .vault-password .vault_password .vault_password_file .npmrc .yarnrc.yml .pypirc .gem_credentials nuget.config
    .nuget.config .s3cfg .boto .dockercfg .dockerconfigjson kaggle.json .databrickscfg
    kubeconfig kubeconfig.* kubeconfig-* kubeconfig_* *.kubeconfig *-kubeconfig *_kubeconfig *.kubeconfig.y*ml
    *-kubeconfig.y*ml application_default_credentials.json client_secret*.json client-secret*.json
    google*credentials*.json service_account*.json service-account*.json *[-_.]service_account*.json
    *[-_.]service-account*.json gha-creds-*.json access_tokens.db legacy_credentials msal_token_cache.*
    accesstokens.json azureprofile.json credentials credentials.json credentials.y*ml credentials.toml credentials.ini
    credentials.csv credentials.xml credentials.db secret.json secret.y*ml secrets.json secrets.y*ml secrets.toml
    secrets.ini secrets.properties secrets.xml .secret .secrets .bash_history .zsh_history .python_history
    .psql_history .mysql_history .node_repl_history
"""
_PATHS = """
    .aws/credentials .aws/config .aws/sso/* .aws/cli/cache/* .docker/config.json .kube/config .kube/cache/* .gnupg/*
    .ssh/* .azure/* gcloud/* .config/gcloud/* .cargo/credentials .cargo/credentials.toml .gem/credentials .config/gh/*
    .config/hub .config/glab-cli/* .config/op/* .config/doctl/* .config/rclone/* .config/netlify/*
    .terraform.d/credentials.tfrc.json .config/containers/auth.json etc/shadow etc/gshadow etc/sudoers
    etc/ppp/chap-secrets .password-store/* .local/share/keyrings/* run/secrets/* .subversion/auth/* .m2/settings.xml
    .m2/settings-security.xml .snowflake/*
"""
_HARMLESS = """
    .env.example .env.sample .env.template .env.tmpl .env.dist .env.default .env.defaults .env.schema .envrc.example
    .env.*.example .env.*.sample .env.*.template .env.*.dist .env-example .env_example .env-sample env.example
    example.env sample.env template.env *.example.env *.sample.env *.template.env
    *.pub public.pem public.key public.gpg public_key.* public-key.* *[-_.]public.pem *[-_.]public.key
    *[-_.]public_key.pem *.pub.pem *_pub.pem cacert.pem ca-bundle.pem known_hosts authorized_keys
    kubeconfig*.md kubeconfig*.rst kubeconfig*.go kubeconfig*.py kubeconfig*.ts kubeconfig*.js kubeconfig*.tf
    kubeconfig*.sh kubeconfig*.java kubeconfig*.rs
"""


def _any_of(globs: str, before: str = "") -> re.Pattern[str]:
    return re.compile("|".join(before + translate(glob) for glob in globs.split()))


@cache
def _denied_name() -> re.Pattern[str]:
    return _any_of(_NAMES)


@cache
def _denied_path() -> re.Pattern[str]:
    return _any_of(_PATHS, before="(?:.*/)?")


@cache
def _harmless_name() -> re.Pattern[str]:
    return _any_of(_HARMLESS)


def is_denied(path: str) -> bool:
    """Say whether a path names a file that exists to hold secrets (`.env`, `id_rsa`, `*.pem`, `.aws/credentials`, …).

    Case does not matter, nor which slash separates folders. Samples (`.env.example`) and public keys are not denied.
    """
    path = path.replace("\\", "/").lower()
    name = path.rsplit("/", 1)[-1].rstrip(" .")
    if _harmless_name().match(name):
        return False
    return _denied_name().match(name) is not None or _denied_path().match(path) is not None
