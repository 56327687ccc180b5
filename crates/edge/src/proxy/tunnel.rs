//! Connections that left HTTP (WebSocket): bytes both ways until one end closes or the drain time is over.

use super::{Proxy, exchange::Exchange};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, copy_bidirectional};

pub fn open(proxy: &Arc<Proxy>, near: OnUpgrade, far: OnUpgrade, exchange: Exchange) {
    let busy = proxy.activity.tunnel();
    let over = proxy.over.clone();
    tokio::spawn(async move {
        let _busy = busy;
        let Ok((near, far)) = tokio::try_join!(near, far) else { return };
        let (mut near, mut far) = (TokioIo::new(near), TokioIo::new(far));
        let Some(cut) = exchange.flight().map(|f| f.target().cut.clone()) else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => exchange.ended(),
            () = cut.cancelled() => {
                drop(near.shutdown().await);
                drop(far.shutdown().await);
                exchange.broke();
            }
            () = over.cancelled() => {
                drop(near.shutdown().await);
                drop(far.shutdown().await);
                exchange.ended();
            }
        }
    });
}
