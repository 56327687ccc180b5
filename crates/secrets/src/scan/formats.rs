//! The formats, the narrowest first: a key that fits two is told by the first.

use super::{checks, generic};
use tradewind_model::fault::Text;

/// One kind of key.
pub struct Format {
    /// Short and stable, for machines.
    pub id: &'static str,
    pub name: Text,
    /// What it looks like in a line; the group `key` is the key itself where it is not all of it.
    pub(super) pattern: &'static str,
    /// What more must hold for it.
    pub(super) is_key: fn(&str) -> bool,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Format {}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! formats {
    ($($id:literal $en:literal $zh:literal $check:path, $pattern:expr;)+) => {
        /// Every format.
        pub static FORMATS: &[Format] = &[$(Format { id: $id, name: Text { en: $en, zh: $zh }, pattern: $pattern, is_key: $check }),+];
    };
}

/// Between a name and its value: `=`, `:`, `=>`, `:=`, with quotes round either.
macro_rules! assigned {
    ($name:literal, $value:literal) => {
        concat!(
            "(?i:",
            $name,
            r#")["'`\]]{0,2}\s{0,4}(?:=>|:=|=|:|,)\s{0,4}["'`]?(?P<key>"#,
            $value,
            r#")(?:["'`,;\s}&)]|$)"#
        )
    };
}

formats! {
    // Armour and files.
    "private-key" "private key" "私钥" checks::any,
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----";
    "private-key-bare" "private key without its frame (as Alipay's are given)" "不带首尾行的私钥（支付宝等）" checks::any,
        r"\bMII[A-Za-z0-9+/]{2,6}IBADANBgkqhkiG9w0BAQEFAASC[A-Za-z0-9+/]{40,}";
    "gcp-service-account" "Google Cloud service account key" "Google Cloud 服务账号密钥" checks::random,
        r#""private_key_id"\s*:\s*"(?P<key>[0-9a-f]{40})""#;

    // Marketplaces.
    "amazon-sp-refresh-token" "Amazon SP-API refresh token" "亚马逊 SP-API 刷新令牌" checks::random,
        r"\bAtzr\|[A-Za-z0-9_\-]{40,}";
    "amazon-sp-access-token" "Amazon SP-API access token" "亚马逊 SP-API 访问令牌" checks::random,
        r"\bAtza\|[A-Za-z0-9_\-+/=]{40,}";
    "amazon-lwa-secret" "Amazon Login with Amazon client secret" "亚马逊 LWA 客户端密钥" checks::random,
        r"\bamzn1\.oa2-cs\.v1\.[0-9a-f]{64}\b";
    "amazon-mws-token" "Amazon MWS token" "亚马逊 MWS 令牌" checks::any,
        r"\bamzn\.mws\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b";
    "shopify-token" "Shopify access token or app secret" "Shopify 访问令牌或应用密钥" checks::random,
        r"\bshp(?:at|ss|ca|pa|tka)_[0-9a-fA-F]{32}\b";
    "ebay-cert-id" "eBay production certificate id" "eBay 生产环境 Cert ID" checks::random,
        r"\bPRD-[0-9a-f]{12}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b";
    "ebay-token" "eBay user token" "eBay 用户令牌" checks::random,
        r"\bv\^1\.1#i\^1#[A-Za-z0-9^#+/=]{40,}";
    "shopee-partner-key" "Shopee partner key" "Shopee Partner Key" checks::random,
        r"\bshpk[0-9a-zA-Z]{60,}\b";
    "shopee-key" "Shopee partner key" "Shopee Partner Key" checks::random,
        assigned!(r"(?:shopee|partner)[\w.\-]{0,30}(?:key|secret)", "[0-9a-fA-F]{64}");
    "lazada-secret" "Lazada app secret" "Lazada App Secret" checks::random,
        assigned!(r"lazada[\w.\-]{0,30}(?:secret|token)", "[0-9A-Za-z]{32,50}");
    "aliexpress-secret" "AliExpress app secret" "速卖通 App Secret" checks::random,
        assigned!(r"(?:aliexpress|ali_?express|smt)[\w.\-]{0,30}(?:secret|token)", "[0-9A-Za-z]{32,50}");
    "walmart-secret" "Walmart client secret" "沃尔玛 Client Secret" checks::random,
        assigned!(r"walmart[\w.\-]{0,30}(?:secret|token)", r"[0-9A-Za-z_\-+/=]{40,}");
    "tiktok-shop-secret" "TikTok Shop app secret" "TikTok Shop App Secret" checks::random,
        assigned!(r"(?:tiktok|tts)[\w.\-]{0,30}(?:secret|token)", "[0-9a-fA-F]{40}");
    "mercadolibre-token" "Mercado Libre access token" "Mercado Libre 访问令牌" checks::random,
        r"\bAPP_USR-[0-9]{10,}-[0-9]{6}-[0-9a-f]{32}-[0-9]{5,}\b";

    // Clouds.
    "aws-access-key" "AWS access key" "AWS 访问密钥 ID" checks::any,
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b";
    "aws-secret-key" "AWS secret access key" "AWS 私有访问密钥" checks::random,
        assigned!(r"(?:aws|amazon|s3)[\w.\- ]{0,30}(?:secret|sk)[\w.\- ]{0,20}", "[A-Za-z0-9/+]{40}");
    "aliyun-access-key" "Alibaba Cloud access key" "阿里云 AccessKey ID" checks::random,
        r"\bLTAI[A-Za-z0-9]{12,26}\b";
    "aliyun-secret-key" "Alibaba Cloud access key secret" "阿里云 AccessKey Secret" checks::random,
        assigned!(r"(?:ali(?:yun|baba)?|oss|access_?key)[\w.\-]{0,20}secret", "[A-Za-z0-9]{30}");
    "tencent-secret-id" "Tencent Cloud secret id" "腾讯云 SecretId" checks::random,
        r"\bAKID[A-Za-z0-9]{28,36}\b";
    "tencent-secret-key" "Tencent Cloud secret key" "腾讯云 SecretKey" checks::random,
        assigned!(r"(?:tencent|qcloud|cos|tc)[\w.\-]{0,20}(?:secret_?key|sk)", "[A-Za-z0-9]{32}");
    "huawei-key" "Huawei Cloud access key" "华为云访问密钥" checks::random,
        assigned!(r"(?:huawei|hwcloud|hwc|obs)[\w.\-]{0,20}(?:secret|sk|ak|access_?key)[\w.\-]{0,10}", "[A-Za-z0-9]{40}|[A-Z0-9]{20}");
    "volcengine-key" "Volcano Engine access key" "火山引擎访问密钥" checks::random,
        r"\bAKLT[A-Za-z0-9_\-]{40,60}={0,2}";
    "gcp-api-key" "Google API key" "Google API 密钥" checks::random,
        r"\bAIza[0-9A-Za-z_\-]{35}\b";
    "azure-storage-key" "Azure storage account key" "Azure 存储账户密钥" checks::random,
        r"(?i:AccountKey)=(?P<key>[A-Za-z0-9+/]{86}==)";
    "azure-client-secret" "Azure client secret" "Azure 客户端密码" checks::random,
        r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}";
    "digitalocean-token" "DigitalOcean token" "DigitalOcean 令牌" checks::random,
        r"\bdo[opr]_v1_[0-9a-f]{64}\b";

    // Forges and registries.
    "github-token" "GitHub token" "GitHub 令牌" checks::crc62,
        r"\bgh[pousr]_[A-Za-z0-9]{36}\b";
    "github-fine-token" "GitHub fine-grained token" "GitHub 细粒度令牌" checks::random,
        r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b";
    "gitlab-token" "GitLab token" "GitLab 令牌" checks::random,
        r"\bgl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent)-[A-Za-z0-9_\-]{20,}";
    "gitee-token" "Gitee token" "Gitee 令牌" checks::random,
        assigned!(r"gitee[\w.\-]{0,20}(?:token|secret|key)", "[0-9a-f]{32}");
    "npm-token" "npm token" "npm 令牌" checks::crc62,
        r"\bnpm_[A-Za-z0-9]{36}\b";
    "pypi-token" "PyPI token" "PyPI 令牌" checks::any,
        r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{50,}";

    // Chat.
    "slack-token" "Slack token" "Slack 令牌" checks::random,
        r"\bxox[abeoprs]-[0-9A-Za-z\-]{20,}";
    "slack-webhook" "Slack webhook" "Slack Webhook" checks::random,
        r"hooks\.slack\.com/(?:services|workflows)/(?P<key>[A-Za-z0-9]{9,}/[A-Za-z0-9]{9,}/[A-Za-z0-9]{20,})";
    "dingtalk-robot" "DingTalk robot token" "钉钉机器人 Token" checks::random,
        r"dingtalk\.com/robot/send\?access_token=(?P<key>[0-9a-f]{64})";
    "dingtalk-sign" "DingTalk robot signing secret" "钉钉机器人加签密钥" checks::random,
        r"\bSEC[0-9a-f]{64}\b";
    "wecom-robot" "WeCom robot key" "企业微信机器人 Key" checks::random,
        r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=(?P<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";
    "feishu-robot" "Feishu robot address" "飞书机器人地址" checks::random,
        r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/(?:v2/)?hook/(?P<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";
    "telegram-bot" "Telegram bot token" "Telegram 机器人令牌" checks::random,
        r"\b[0-9]{8,10}:AA[0-9A-Za-z_\-]{33}\b";

    // Payment and others.
    "stripe-key" "Stripe live key" "Stripe 生产密钥" checks::random,
        r"\b[rs]k_live_[0-9A-Za-z]{20,}\b";
    "webhook-secret" "webhook signing secret" "Webhook 签名密钥" checks::random,
        r"\bwhsec_[0-9A-Za-z+/=]{24,}";
    "sendgrid-key" "SendGrid key" "SendGrid 密钥" checks::random,
        r"\bSG\.[0-9A-Za-z_\-]{22}\.[0-9A-Za-z_\-]{43}\b";
    "anthropic-key" "Anthropic key" "Anthropic 密钥" checks::random,
        r"\bsk-ant-[0-9A-Za-z_\-]{40,}";
    "openai-key" "OpenAI key" "OpenAI 密钥" checks::random,
        r"\bsk-(?:proj-|svcacct-)?[0-9A-Za-z_\-]{40,}";
    "jwt" "JSON web token" "JWT 令牌" checks::jwt,
        r"\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{20,}";
    "tradewind-token" "Tradewind token" "Tradewind 令牌" checks::random,
        r"\btw[a-z]?_[0-9A-Za-z]{30,}\b";

    // By where they stand.
    "password-in-address" "password in an address" "地址中的密码" generic::password,
        r#"\b[a-z][a-z0-9+.\-]{2,20}://[^\s/:@"'<>]{1,64}:(?P<key>[^\s/:@"'<>]{6,128})@[A-Za-z0-9\[]"#;
    "assigned" "password, secret, token or key" "密码、密钥或令牌" generic::value,
        assigned!(
            r"(?:passw(?:or)?d|passwd|pwd|secret|token|api_?-?key|access_?-?key|app_?-?key|private_?-?key|auth_?-?key|signing_?-?key|encryption_?-?key|partner_?-?key|credential)[\w\-]{0,20}",
            r"[A-Za-z0-9_\-+/=.!@#$%^&*~?]{12,256}"
        );
}
