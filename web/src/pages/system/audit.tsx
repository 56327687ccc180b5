import { SafetyCertificateOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Alert, Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { AuditReport, AuditStatus } from '../../api/schema'
import { Act } from '../../parts/act'
import { Loaded } from '../../parts/loaded'
import { count, Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { span, When } from '../../parts/time'
import { Trouble } from '../../parts/trouble'
import { auditQuery, checkpointsQuery } from './queries'

export function Audit({ may }: { may: boolean }) {
  const status = useQuery(auditQuery)
  return (
    <Loaded of={status}>
      {(known) => (
        <>
          <Proof status={known} may={may} />
          <Places status={known} />
          <Checkpoints />
        </>
      )}
    </Loaded>
  )
}

function Proof({ status, may }: { status: AuditStatus; may: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [report, setReport] = useState<AuditReport>()
  const [fault, setFault] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const verify = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      setReport(await got(api.GET('/api/v1/audit/verify')))
    } catch (error) {
      setFault(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Sheet
      title={t('system:audit')}
      extra={
        <div className="sheet-do">
          <Link to="/events" search={{ kind: 'audit.' }}>
            {t('system:to_events')}
          </Link>
          {may && (
            <Act
              label={t('system:checkpoint_now')}
              reason="welcome"
              says={t('system:checkpoint_now_says')}
              perform={async (reason) => {
                await api.POST('/api/v1/audit/checkpoints', { body: { reason } })
                await client.invalidateQueries({ queryKey: ['audit'] })
              }}
              done={t('system:checkpoint_made')}
            />
          )}
          <Button type="primary" icon={<SafetyCertificateOutlined />} loading={busy} onClick={() => void verify()}>
            {t('system:verify')}
          </Button>
        </div>
      }
    >
      <dl className="host-facts">
        <div>
          <dt>{t('system:events')}</dt>
          <dd>{status.head ? count(status.head.seq) : '–'}</dd>
        </div>
        <div>
          <dt>{t('system:last_checkpoint')}</dt>
          <dd>
            {status.checkpoint ? (
              <>
                {t('system:at_event', { seq: count(status.checkpoint.seq) })} · <When at={status.checkpoint.at} />
              </>
            ) : (
              t('system:none_yet')
            )}
          </dd>
        </div>
        <div>
          <dt>{t('system:kept')}</dt>
          <dd>{status.keep_s ? span(status.keep_s * 1_000) : t('system:for_ever')}</dd>
        </div>
        {status.pruned > 0 && (
          <div>
            <dt>{t('system:pruned')}</dt>
            <dd>{t('system:up_to', { seq: count(status.pruned) })}</dd>
          </div>
        )}
      </dl>
      <strong>{t('system:signing_key')}</strong>
      <Copyable label={t('system:signing_key')} text={status.key} />
      {fault !== undefined && <Trouble error={fault} again={() => void verify()} />}
      {report && (
        <Alert
          showIcon
          type={report.ok ? 'success' : 'error'}
          title={report.ok ? t('system:intact', { count: report.intact, events: count(report.intact) }) : t('system:not_intact', { seq: report.finding?.seq ?? 0 })}
          description={report.ok ? t('system:intact_says', { count: report.checkpoints ?? 0 }) : report.finding?.detail}
        />
      )}
    </Sheet>
  )
}

function Places({ status }: { status: AuditStatus }) {
  const { t } = useTranslation()
  return (
    <Sheet title={t('system:sinks')}>
      {status.sinks.length === 0 ? (
        <Nothing title={t('system:no_sinks')}>
          {t('system:no_sinks_yet')}
          <Copyable label="config.yaml" text="audit_file: /mnt/other-machine/checkpoints" />
        </Nothing>
      ) : (
        <Rows
          label={t('system:sinks')}
          items={status.sinks}
          id={(sink) => sink.name}
          columns={[
            { head: t('system:sink'), cell: (sink) => <strong>{sink.name}</strong> },
            { head: t('system:target'), wide: true, cell: (sink) => <span className="mono">{sink.target}</span> },
            {
              head: t('system:delivered'),
              cell: (sink) =>
                sink.delivered === 0 ? (
                  t('system:none_yet')
                ) : (
                  <>
                    {t('system:at_event', { seq: count(sink.delivered) })} <div className="soft"><When at={sink.delivered_at} /></div>
                  </>
                ),
            },
            {
              head: t('system:state'),
              cell: (sink) =>
                sink.failing_since ? (
                  <>
                    <Mark tone="bad">{t('system:failing')}</Mark> <When at={sink.failing_since} />
                    <div className="soft">{sink.error}</div>
                  </>
                ) : (
                  <Mark tone="good">{t('system:works')}</Mark>
                ),
            },
          ]}
        />
      )}
    </Sheet>
  )
}

function Checkpoints() {
  const { t } = useTranslation()
  const checkpoints = useQuery(checkpointsQuery)
  return (
    <Sheet title={t('system:checkpoints')}>
      <Loaded of={checkpoints}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('system:no_checkpoints')}>{t('system:no_checkpoints_yet')}</Nothing>
          ) : (
            <Rows
              label={t('system:checkpoints')}
              items={items}
              id={(one) => `${one.seq}`}
              columns={[
                { head: t('system:event'), cell: (one) => count(one.seq) },
                { head: t('system:when'), cell: (one) => <When at={one.at} /> },
                { head: t('system:note'), wide: true, cell: (one) => <details><summary className="mono">{one.hash.slice(0, 23)}…</summary><Copyable label={t('system:note')} text={one.note} save={`checkpoint-${one.seq}.txt`} /></details> },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}
