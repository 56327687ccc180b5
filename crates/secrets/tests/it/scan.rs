//! Keys are put together here, so that no line of this file looks like one.

use tradewind_secrets::scan::{AllowList, BadAllow, FORMATS, Scanner, diff};

struct Draw(fastrand::Rng);

impl Draw {
    fn of(&mut self, letters: &str, length: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..length).map(|_| letters[self.0.usize(..letters.len())]).collect()
    }
    fn hex(&mut self, length: usize) -> String {
        self.of("0123456789abcdef", length)
    }
    fn alnum(&mut self, length: usize) -> String {
        self.of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", length)
    }
    fn upper(&mut self, length: usize) -> String {
        self.of("234567ABCDEFGHIJKLMNOPQRSTUVWXYZ", length)
    }
    fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|n| self.hex(n)).join("-")
    }
    /// With the checksum that GitHub and npm put at the end.
    fn checked(&mut self, prefix: &str) -> String {
        let body = self.alnum(30);
        let mut left = !body.bytes().fold(!0u32, |mut sum, byte| {
            sum ^= u32::from(byte);
            for _ in 0..8 {
                sum = (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
            }
            sum
        });
        let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
        let mut sum = String::new();
        for _ in 0..6 {
            sum.insert(0, digits[(left % 62) as usize]);
            left /= 62;
        }
        format!("{prefix}_{body}{sum}")
    }
}

/// One line a format that must be found as that format.
fn keys(d: &mut Draw) -> Vec<(&'static str, String)> {
    let b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let begin = "-----BEGIN ".to_owned();
    vec![
        ("private-key", begin.clone() + "PRIVATE KEY-----"),
        ("private-key", begin.clone() + "RSA PRIVATE KEY-----"),
        ("private-key", begin.clone() + "OPENSSH PRIVATE KEY-----"),
        ("private-key", begin + "ENCRYPTED PRIVATE KEY-----\\n"),
        ("private-key-bare", format!("ALIPAY = 'MIIEvQ{}{}'", "IBADANBgkqhkiG9w0BAQEFAASC", d.of(b64, 80))),
        ("gcp-service-account", format!("  \"private_key_id\": \"{}\",", d.hex(40))),
        ("amazon-sp-refresh-token", format!("refresh: Atzr|{}", d.alnum(120))),
        ("amazon-sp-access-token", format!("x-amz-access-token: Atza|{}", d.alnum(120))),
        ("amazon-lwa-secret", format!("LWA_CLIENT_SECRET=amzn1.oa2-cs.v1.{}", d.hex(64))),
        ("amazon-mws-token", format!("amzn.mws.{}", d.uuid())),
        ("shopify-token", format!("X-Shopify-Access-Token: shpat_{}", d.hex(32))),
        ("shopify-token", format!("shpss_{}", d.hex(32))),
        ("shopify-token", format!("shpca_{}", d.hex(32))),
        ("shopify-token", format!("shppa_{}", d.hex(32))),
        ("ebay-cert-id", format!("certId: \"PRD-{}-{}-{}-{}-{}\"", d.hex(12), d.hex(4), d.hex(4), d.hex(4), d.hex(4))),
        ("ebay-token", format!("token = v^1.1#i^1#{}", d.alnum(80))),
        ("shopee-partner-key", format!("key = shpk{}", d.hex(60))),
        ("shopee-key", format!("SHOPEE_PARTNER_KEY={}", d.hex(64))),
        ("shopee-key", format!("\"partner_key\": \"{}\"", d.hex(64))),
        ("lazada-secret", format!("lazada.app.secret: {}", d.alnum(32))),
        ("aliexpress-secret", format!("aliexpressAppSecret = \"{}\"", d.alnum(32))),
        ("walmart-secret", format!("WALMART_CLIENT_SECRET: '{}'", d.alnum(86))),
        ("tiktok-shop-secret", format!("tiktok_app_secret={}", d.hex(40))),
        (
            "mercadolibre-token",
            format!(
                "APP_USR-{}-{}-{}-{}",
                d.of("0123456789", 16),
                d.of("0123456789", 6),
                d.hex(32),
                d.of("0123456789", 9)
            ),
        ),
        ("aws-access-key", format!("aws_access_key_id = AKIA{}", d.upper(16))),
        ("aws-access-key", format!("ASIA{}", d.upper(16))),
        ("aws-secret-key", format!("aws_secret_access_key = {}", d.of(b64, 40))),
        ("aliyun-access-key", format!("accessKeyId: LTAI5t{}", d.alnum(18))),
        ("aliyun-secret-key", format!("accessKeySecret: {}", d.alnum(30))),
        ("tencent-secret-id", format!("SecretId=AKID{}", d.alnum(32))),
        ("tencent-secret-key", format!("TENCENT_SECRET_KEY={}", d.alnum(32))),
        ("huawei-key", format!("HUAWEI_CLOUD_SK={}", d.alnum(40))),
        ("volcengine-key", format!("AKLT{}", d.alnum(44))),
        ("gcp-api-key", format!("AIza{}", d.alnum(35))),
        ("azure-storage-key", format!("DefaultEndpointsProtocol=https;AccountKey={}==", d.of(b64, 86))),
        ("azure-client-secret", format!("a1b8Q~{}", d.alnum(34))),
        ("digitalocean-token", format!("dop_v1_{}", d.hex(64))),
        ("github-token", d.checked("ghp")),
        ("github-token", format!("https://x:{}@github.com/a/b", d.checked("ghs"))),
        ("github-fine-token", format!("github_pat_{}_{}", d.alnum(22), d.alnum(59))),
        ("gitlab-token", format!("glpat-{}", d.alnum(20))),
        ("gitee-token", format!("GITEE_TOKEN={}", d.hex(32))),
        ("npm-token", format!("//registry.npmjs.org/:_authToken={}", d.checked("npm"))),
        ("pypi-token", format!("pypi-AgEIcHlwaS5vcmc{}", d.alnum(120))),
        ("slack-token", format!("xoxb-{}", d.alnum(40))),
        ("slack-webhook", format!("https://hooks.slack.com/services/T{}/B{}/{}", d.upper(8), d.upper(8), d.alnum(24))),
        ("dingtalk-robot", format!("https://oapi.dingtalk.com/robot/send?access_token={}", d.hex(64))),
        ("dingtalk-sign", format!("secret: SEC{}", d.hex(64))),
        ("wecom-robot", format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}", d.uuid())),
        ("feishu-robot", format!("https://open.feishu.cn/open-apis/bot/v2/hook/{}", d.uuid())),
        ("telegram-bot", format!("{}:AA{}", d.of("123456789", 9), d.alnum(33))),
        ("stripe-key", format!("sk_live_{}", d.alnum(24))),
        ("webhook-secret", format!("whsec_{}", d.alnum(32))),
        ("sendgrid-key", format!("SG.{}.{}", d.alnum(22), d.alnum(43))),
        ("anthropic-key", format!("sk-ant-api03-{}", d.alnum(80))),
        ("openai-key", format!("sk-proj-{}", d.alnum(48))),
        ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJx{}.{}", d.alnum(12), d.alnum(43))),
        ("tradewind-token", format!("tw_{}", d.alnum(43))),
        ("password-in-address", format!("postgres://shop:{}@db.internal/shop", d.alnum(12))),
        ("password-in-address", "mysql://root:Winter-2026@10.0.0.5:3306/erp".to_owned()),
        ("assigned", format!("DB_PASSWORD={}7q", d.alnum(18))),
        ("assigned", format!("  password: \"{}7q\"", d.alnum(16))),
        ("assigned", format!("const apiKey = '{}';", d.hex(32))),
        ("assigned", format!("settings['client_secret'] = \"{}7q\"", d.alnum(30))),
        ("assigned", format!("\"app_secret\": \"{}\",", d.hex(32))),
    ]
}

#[test]
fn each_format_is_found_as_what_it_is_whatever_its_letters() {
    let scanner = Scanner::default();
    for seed in 0..40 {
        for (format, line) in keys(&mut Draw(fastrand::Rng::with_seed(seed))) {
            let found: Vec<&str> = scanner.line(&line).iter().map(|(f, _)| f.id).collect();
            assert_eq!(found, [format], "seed {seed}: {line}");
        }
    }
    let tried: Vec<&str> = keys(&mut Draw(fastrand::Rng::with_seed(0))).into_iter().map(|(f, _)| f).collect();
    let untried: Vec<&str> = FORMATS.iter().map(|f| f.id).filter(|id| !tried.contains(id)).collect();
    assert!(untried.is_empty(), "no key of these was tried: {untried:?}");
}

#[test]
fn what_is_no_key_is_left_alone() {
    let scanner = Scanner::default();
    let mut d = Draw(fastrand::Rng::with_seed(3));
    let innocent = [
        // The documentation's own.
        format!("aws_access_key_id = AKIA{}", "IOSFODNN7EXAMPLE"),
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}", "EXAMPLEKEY"),
        // References.
        "password: ${DB_PASSWORD}".into(),
        "password = os.environ['DB_PASSWORD']".into(),
        "const token = process.env.SHOPIFY_TOKEN_2;".into(),
        "token: {{ vault_token_for_shop1 }}".into(),
        "api_key: $(cat /run/secrets/api_key_2)".into(),
        "DATABASE_URL=postgres://shop:${DB_PASSWORD}@db/shop".into(),
        "DATABASE_URL=postgres://postgres:postgres@localhost/shop".into(),
        "secret_key_base = Rails.application.credentials.secret_key_base".into(),
        "let token = self.next_access_token(&mut rng2, 12);".into(),
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')".into(),
        "accessTokenRepository: AccessTokenRepositoryV2Impl,".into(),
        "password_reset_url: /accounts/password/reset2/".into(),
        // To be filled in.
        "SHOPIFY_TOKEN=shpat_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".into(),
        "API_KEY=your_api_key_here_12345".into(),
        "API_KEY=<put your key 123 here>".into(),
        "secret: changeme12345".into(),
        "password: 'aaaaaaaaaaaa'".into(),
        // Other random letters.
        format!("  resolved \"https://registry.npmjs.org/a/-/a-1.0.0.tgz#{}\"", d.hex(40)),
        format!("\"integrity\": \"sha512-{}==\"", d.alnum(86)),
        format!("checksum = \"{}\"", d.hex(64)),
        format!("commit {}", d.hex(40)),
        format!("id: {}", d.uuid()),
        format!("image: shop@sha256:{}", d.hex(64)),
        "-----BEGIN CERTIFICATE-----".into(),
        "-----BEGIN PUBLIC KEY-----".into(),
        // A token of GitHub's form whose checksum is wrong.
        format!("ghp_{}", "0".repeat(2) + &d.alnum(34)),
    ];
    for line in &innocent {
        let found: Vec<&str> = scanner.line(line).iter().map(|(f, _)| f.id).collect();
        assert!(found.is_empty(), "{found:?} in {line}");
    }
}

#[test]
fn what_is_allowed_is_found_and_says_by_whom() {
    let scanner = Scanner::default();
    let mut d = Draw(fastrand::Rng::with_seed(5));
    let key = format!("glpat-{}", d.alnum(20));
    let (list, bad) = AllowList::parse(
        "# what is allowed\ntests/fixtures/** recorded answers, revoked keys\n\nno-reason.txt\nbad[ because\n*.pem for tests\n",
    );
    assert_eq!(bad[0], BadAllow::NoReason(4));
    assert!(matches!(bad[1], BadAllow::Pattern { line: 5, .. }));
    let one = |file: &str, text: &str, above: Option<&str>| {
        let mut found = scanner.lines(file, [(9, text, above)], &list);
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    };
    let plain = one("a.py", &format!("t = '{key}'"), Some("import os"));
    assert_eq!((plain.line, plain.file.as_str(), &plain.allowed), (9, "a.py", &None));
    assert_eq!(plain.hint, "glpa…");
    let beside = one("a.py", &format!("t = '{key}'  # tradewind:allow-secret revoked"), None);
    assert_eq!(beside.allowed.map(|a| (a.listed, a.reason)), Some((None, "revoked".into())));
    let above = one("a.js", &format!("t = '{key}'"), Some("  /* tradewind:allow-secret of the mock */"));
    assert_eq!(above.allowed.map(|a| a.reason).as_deref(), Some("of the mock"));
    let not_a_comment = one("a.js", &format!("t = '{key}'"), Some("x = 1 // tradewind:allow-secret"));
    assert_eq!(not_a_comment.allowed, None);
    let listed = one("tests/fixtures/a/b.json", &key, None);
    assert_eq!(listed.allowed.map(|a| (a.listed, a.reason)), Some((Some(2), "recorded answers, revoked keys".into())));
    assert_eq!(one("no-reason.txt", &key, None).allowed, None);
    assert_eq!(one("deep/a.pem", &key, None).allowed, None);
}

#[test]
fn added_lines_of_commits_are_looked_at_and_nothing_else() {
    let mut d = Draw(fastrand::Rng::with_seed(8));
    let (one, two) = (format!("glpat-{}", d.alnum(20)), format!("glpat-{}", d.alnum(20)));
    let patches = format!(
        "\0aaaa\n\ndiff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -7,2 +7,3 @@ def f():\n import os\n-old = '{two}'\n\
         +++ t = '{one}'\n+# tradewind:allow-secret of the mock\n\\ No newline at end of file\n\
         diff --git a/y z b/y z\n--- /dev/null\n+++ \"b/y z\"\n@@ -0,0 +1,2 @@\n+# tradewind:allow-secret revoked\n+k = '{two}'\n\
         diff --git a/b.bin b/b.bin\nBinary files a/b.bin and b/b.bin differ\n\
         \0bbbb\n\ndiff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-t\n+t = '{one}'\n"
    );
    let found = diff::added(&Scanner::default(), &patches, &AllowList::default());
    let told: Vec<_> = found
        .iter()
        .map(|f| (f.commit.as_str(), f.finding.file.as_str(), f.finding.line, f.finding.allowed.is_some()))
        .collect();
    assert_eq!(told, [("aaaa", "x.py", 8, false), ("aaaa", "y z", 2, true)]);
}

#[test]
fn a_line_without_end_is_looked_at_in_part_and_no_letter_is_torn() {
    let scanner = Scanner::default();
    let key = format!("glpat-{}", Draw(fastrand::Rng::with_seed(6)).alnum(20));
    assert_eq!(scanner.line(&format!("{} {key}", "ü".repeat(1 << 20))).len(), 0);
    assert_eq!(scanner.line(&format!("{key} {}", "ü".repeat(1 << 20))).len(), 1);
}
