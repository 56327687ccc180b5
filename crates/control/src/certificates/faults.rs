//! What is refused of certificates.

tradewind_model::faults! {
    BAD_CERTIFICATE = "TW-CERT-001", 422,
        "the certificate cannot be used: {why}", "无法使用该证书：{why}",
        "give the certificate with its chain and its key, both as PEM without a password", "请提供证书（含证书链）与私钥，均为无密码的 PEM";
    CERTIFICATE_OVER = "TW-CERT-002", 422,
        "the certificate ended on {until}", "该证书已于 {until} 过期",
        "add one that is still valid", "请添加仍在有效期内的证书";
    CERTIFICATE_THERE = "TW-CERT-003", 409,
        "this certificate is there already", "该证书已存在",
        "`tradewind certificate list` shows it", "用 `tradewind certificate list` 查看";
    NO_CERTIFICATE = "TW-CERT-004", 404,
        "there is no certificate `{certificate}`", "没有证书 `{certificate}`",
        "`tradewind certificate list` shows those there are", "用 `tradewind certificate list` 查看已有的证书";
    KEEPER_CLOSED = "TW-CERT-005", 503,
        "private keys cannot be sealed or opened: {why}", "无法封存或打开私钥：{why}",
        "put the file of keys back, or remove the certificate and add it again", "请恢复密钥文件，或移除该证书后重新添加";
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalog_is_sound_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}
