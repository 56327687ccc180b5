import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Event } from '../../api/schema'
import { locale } from '../../i18n'
import { Act } from '../../parts/act'
import { Loaded } from '../../parts/loaded'
import { count, Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'
import { backupsQuery } from './queries'

const EVERY = `backup_every: 24h
backup_to: /mnt/backup/tradewind
backup_keep: 7
backup_passphrase_file: /root/backup.pass`

const size = (bytes: number): string => {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1)
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: units[step] ?? 'byte', maximumFractionDigits: 1 }).format(bytes / 1_000 ** step)
}

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
      {knows && <Made may={may} />}
      <HowTo />
    </>
  )
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
