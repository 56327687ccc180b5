import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Backups as Known, Event } from '../../api/schema'
import { Act } from '../../parts/act'
import { size } from '../../parts/bytes'
import { Loaded } from '../../parts/loaded'
import { count, Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, span, Until, When } from '../../parts/time'
import { backupStateQuery, backupsQuery } from './queries'

const EVERY = `backup_every: 24h
backup_to: /mnt/backup/tradewind
backup_keep: 7
backup_passphrase_file: /root/backup.pass`

const text = (event: Event, field: string): string | undefined => {
  const value = event.after?.[field]
  return typeof value === 'string' ? value : undefined
}
const figure = (event: Event, field: string): number | undefined => {
  const value = event.after?.[field]
  return typeof value === 'number' ? value : undefined
}

export function Backups({ may, knows }: { may: boolean; knows: boolean }) {
  return (
    <>
      {may && <State />}
      {knows && <Made may={may} />}
      <HowTo />
    </>
  )
}

function State() {
  const { t } = useTranslation()
  const state = useQuery(backupStateQuery)
  return (
    <Sheet title={t('system:backup_state')}>
      <Loaded of={state} rows={3}>
        {(known) => (
          <>
            <Warnings known={known} />
            <dl className="host-facts">
              <div>
                <dt>{t('system:last_backup')}</dt>
                <dd>
                  {known.last ? (
                    <>
                      <Mark tone={known.last.is_old ? 'warn' : 'good'}>
                        <When at={known.last.at} />
                      </Mark>
                      <div className="soft">
                        {known.last.by}
                        {typeof known.last.bytes === 'number' && <> · {size(known.last.bytes)}</>}
                        {known.last.keys && <> · {t('system:keys')}: {t(`system:keys_kept.${known.last.keys}`, { defaultValue: known.last.keys })}</>}
                      </div>
                    </>
                  ) : (
                    <Mark tone="bad">{t('system:never')}</Mark>
                  )}
                </dd>
              </div>
              <div>
                <dt>{t('system:by_the_clock')}</dt>
                <dd>{known.schedule ? <Planned known={known} /> : <Mark tone="still">{t('system:not_planned')}</Mark>}</dd>
              </div>
              {known.schedule && (
                <div>
                  <dt>{t('system:next_backup')}</dt>
                  <dd>
                    <Until at={known.schedule.next_at} />
                  </dd>
                </div>
              )}
            </dl>
            {known.kept.length > 0 && (
              <details>
                <summary>{t('system:kept_backups', { count: known.kept.length })}</summary>
                <Rows
                  label={t('system:kept_backups', { count: known.kept.length })}
                  items={known.kept}
                  id={(one) => one.name}
                  columns={[
                    { head: t('system:file'), wide: true, cell: (one) => <span className="mono">{one.name}</span> },
                    { head: t('system:when'), cell: (one) => <When at={one.at} /> },
                    { head: t('system:size_packed'), cell: (one) => size(one.bytes) },
                  ]}
                />
              </details>
            )}
          </>
        )}
      </Loaded>
    </Sheet>
  )
}

function Planned({ known: { schedule } }: { known: Known }) {
  const { t } = useTranslation()
  if (!schedule) return null
  return (
    <>
      {t('system:planned', { every: span(schedule.every_s * 1_000), count: schedule.keep })}
      <div className="soft mono">{schedule.to}</div>
      <div className="soft">{t(schedule.with_keys ? 'system:planned_keys' : 'system:planned_no_keys')}</div>
    </>
  )
}

function Warnings({ known }: { known: Known }) {
  const { t } = useTranslation()
  const { failed, last, supported } = known
  if (!supported) return <Alert className="backup-warn" showIcon type="info" title={t('system:postgres_title')} description={t('system:postgres_says')} />
  if (failed)
    return (
      <Alert
        className="backup-warn"
        showIcon
        type="error"
        title={<>{t('system:backup_failed_title')} (<When at={failed.at} />)</>}
        description={
          <>
            {failed.why} {failed.code && <a href={`/help/${failed.code}`} target="_blank" rel="noreferrer" className="mono">{failed.code}</a>}
            <div>{t('system:backup_failed_fix')}</div>
          </>
        }
      />
    )
  if (!last) return <Alert className="backup-warn" showIcon type="warning" title={t('system:never_title')} description={t('system:never_says')} />
  if (last.is_old) return <Alert className="backup-warn" showIcon type="warning" title={t('system:old_title')} description={t('system:never_says')} />
  return null
}

function Made({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const events = useQuery(backupsQuery)
  return (
    <Sheet title={t('system:backups')} extra={may && <Take />}>
      <Loaded of={events}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('system:no_backups')}>{t('system:no_backups_yet')}</Nothing>
          ) : (
            <Rows
              label={t('system:backups')}
              items={items}
              id={(event) => event.id}
              columns={[
                { head: t('system:when'), cell: (event) => <><When at={event.at} /><div className="soft">{exact(event.at)}</div></> },
                { head: t('system:what'), wide: true, cell: (event) => <What event={event} /> },
                { head: t('system:by'), cell: ({ actor }) => (actor.type === 'user' ? actor.name : actor.type === 'agent' ? actor.host : t('system:by_itself')) },
                { head: t('system:size'), cell: (event) => <Size event={event} /> },
                { head: t('system:keys'), cell: (event) => <Keys kept={text(event, 'keys')} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}

function What({ event }: { event: Event }) {
  const { t } = useTranslation()
  if (event.kind === 'admin.backup_made') return <Mark tone="good">{t('system:backup_made')}</Mark>
  if (event.kind === 'admin.restored') return <Mark tone="warn">{t('system:restored')}</Mark>
  if (event.kind !== 'admin.backup_failed') return <Mark tone="still">{event.kind}</Mark>
  return (
    <>
      <Mark tone="bad">{t('system:backup_failed')}</Mark>
      <div className="soft">
        {text(event, 'why')} <a href={`/help/${text(event, 'code') ?? ''}`} target="_blank" rel="noreferrer" className="mono">{text(event, 'code')}</a>
      </div>
    </>
  )
}

function Size({ event }: { event: Event }) {
  const { t } = useTranslation()
  const bytes = figure(event, 'bytes')
  const files = figure(event, 'files') ?? 0
  if (bytes === undefined) return <>–</>
  return (
    <>
      {size(bytes)}
      <div className="soft">{t('system:files', { count: files, files: count(files) })}</div>
    </>
  )
}

function Keys({ kept }: { kept: string | undefined }) {
  const { t } = useTranslation()
  return <>{kept === undefined ? '–' : t(`system:keys_kept.${kept}`, { defaultValue: kept })}</>
}

function Take() {
  const { t } = useTranslation()
  return (
    <Act
      label={t('system:take_backup')}
      verb="backup"
      icon={<DownloadOutlined />}
      primary
      says={
        <>
          <p>{t('system:take_says')}</p>
          <p>{t('system:take_keys')}</p>
        </>
      }
      perform={() => {
        const link = document.createElement('a')
        link.href = '/api/v1/backup'
        link.download = `tradewind-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}.tar.zst`
        link.click()
        return Promise.resolve()
      }}
      done={t('system:taking')}
    />
  )
}

function HowTo() {
  const { t } = useTranslation()
  return (
    <div className="how-to">
      <Sheet title={t('system:verify_title')}>
        <p className="soft">{t('system:verify_says')}</p>
        <Copyable label={t('system:command')} text="tradewind admin backup verify tradewind.tar.zst" />
        <p className="soft">{t('system:keys_says')}</p>
        <Copyable label={t('system:command')} text="tradewind admin backup /backup/tradewind.tar.zst --passphrase-file /root/backup.pass" />
      </Sheet>
      <Sheet title={t('system:restore_title')}>
        <p className="soft">{t('system:restore_says')}</p>
        <Copyable
          label={t('system:command')}
          text={'tradewind down --data OLD\ntradewind admin restore tradewind.tar.zst --data /var/lib/tradewind --passphrase-file /root/backup.pass\ntradewind up --data /var/lib/tradewind'}
        />
        <p className="soft">{t('system:restore_then')}</p>
      </Sheet>
      <Sheet title={t('system:every_title')}>
        <p className="soft">{t('system:every_says')}</p>
        <Copyable label="config.yaml" text={EVERY} />
      </Sheet>
    </div>
  )
}
