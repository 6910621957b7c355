import pytest

from mcp_tools.redaction import is_denied


@pytest.mark.parametrize(
    "path",
    """.env .env.local .env.production app/.env .ENV prod.env .envrc server.pem tls/server.key id_rsa .ssh/id_ed25519
    home/.ssh/config id_ecdsa_sk .netrc _netrc cert.pfx cert.P12 store.jks release.keystore kubeconfig .kube/config
    prod.kubeconfig .npmrc sub/.npmrc .pypirc terraform.tfstate terraform.tfstate.backup prod.tfstate prod.tfvars
    .git-credentials .htpasswd htpasswd .aws/credentials .config/gcloud/application_default_credentials.json
    .docker/config.json .dockerconfigjson .pgpass .my.cnf putty.ppk vault.kdbx service-account.json
    my-service-account-prod.json client_secret_123.json .vault-token config/master.key .gnupg/secring.gpg
    .terraform.d/credentials.tfrc.json .cargo/credentials.toml .bash_history a\\.env ./.env secrets.yaml""".split(),
)
def test_a_file_made_for_secrets_is_denied(path: str) -> None:
    assert is_denied(path)
    assert is_denied(path.upper())
    assert is_denied("deep/er/" + path.removeprefix("./"))


@pytest.mark.parametrize(
    "path",
    """.env.example .env.sample .env.template .env.dist app/.env.EXAMPLE .env.local.example example.env
    src/env.py environment.ts keys.py key.go pem.py src/credentials.py secrets.py auth/token.ts netrc.py
    .ssh/id_rsa.pub .ssh/known_hosts cacert.pem public.pem public_key.pem
    docker/config.json config.json kube/config.go README.md
    keyboard.js monkey.py package.json .eslintrc docs/kubeconfig.md""".split(),
)
def test_a_sample_a_public_key_and_code_are_not_denied(path: str) -> None:
    assert not is_denied(path)
