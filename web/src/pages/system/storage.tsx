import { DeleteOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Collection, Disk, Storage as Stored, StoredKind } from '../../api/schema'
import { Act } from '../../parts/act'
import { size } from '../../parts/bytes'
import { Loaded } from '../../parts/loaded'
import { count, Mark, percent } from '../../parts/marks'
import { Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { say } from '../../parts/toast'
import { span, Until, When } from '../../parts/time'
import { storageQuery } from './queries'

export function Storage({ may }: { may: boolean }) {
  const storage = useQuery(storageQuery)
  return (
    <Loaded of={storage} rows={8}>
      {(stored) => (
        <>
          <Kinds stored={stored} />
          <Collecting stored={stored} may={may} />
        </>
      )}
    </Loaded>
  )
}

/** Next to nothing is left: as the server's own findings tell it. */
const LITTLE = 2 * 2 ** 30

function Room({ disk }: { disk: Disk }) {
  const { t } = useTranslation()
  const used = disk.bytes === 0 ? 0 : (disk.bytes - disk.free_bytes) / disk.bytes
  return (
    <div className="room">
      <div className="room-bar" aria-hidden="true">
        <span className={disk.free_bytes < LITTLE ? 'bad' : ''} style={{ width: `${used * 100}%` }} />
      </div>
      <Mark tone={disk.free_bytes < LITTLE ? 'warn' : 'good'}>{t('system:disk_free', { free: size(disk.free_bytes), all: size(disk.bytes), used: percent(used * 10_000) })}</Mark>
    </div>
  )
}

function Kinds({ stored }: { stored: Stored }) {
  const { t } = useTranslation()
  const all = stored.kinds.reduce((sum, kind) => sum + kind.bytes, 0)
  return (
    <Sheet title={t('system:storage')} extra={<strong>{size(all)}</strong>}>
      {stored.disk && <Room disk={stored.disk} />}
      <Rows
        label={t('system:storage')}
        items={stored.kinds}
        id={(kind) => kind.kind}
        columns={[
          { head: t('system:kind'), wide: true, cell: (kind) => <Kind kind={kind} kept={stored.artifacts_kept_s} /> },
          { head: t('system:size'), cell: (kind) => <><strong>{size(kind.bytes)}</strong> <span className="soft">{all === 0 ? '' : percent((kind.bytes / all) * 10_000)}</span></> },
          { head: t('system:files_head'), cell: (kind) => (kind.files === null || kind.files === undefined ? '–' : count(kind.files)) },
        ]}
      />
      <p className="soft">{t('system:measured')} <When at={stored.measured_at} /></p>
    </Sheet>
  )
}

function Kind({ kind, kept }: { kind: StoredKind; kept: number }) {
  const { t } = useTranslation()
  return (
    <>
      <strong>{t(`system:stored.${kind.kind}`)}</strong>
      <div className="soft">{t(`system:stored_says.${kind.kind}`, { kept: span(kept * 1_000) })}</div>
    </>
  )
}

function Collecting({ stored: { due, last, next_at: next }, may }: { stored: Stored; may: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const bytes = due.artifact_bytes + due.upload_bytes
  const files = due.artifacts + due.uploads
  return (
    <Sheet
      title={t('system:collection')}
      extra={
        may && (
          <Act
            label={t('system:collect')}
            icon={<DeleteOutlined />}
            refused={files === 0 ? t('system:collect_nothing') : undefined}
            reason="welcome"
            says={
              <>
                <p>{t('system:collect_says', { size: size(bytes), count: files, files: count(files) })}</p>
                <p>{t('system:collect_keeps')}</p>
              </>
            }
            perform={async (reason) => {
              const freed = await got(api.POST('/api/v1/storage/collect', { body: { reason } }))
              say(t('system:collected', { size: size(freed.artifact_bytes + freed.upload_bytes) }))
              await client.invalidateQueries({ queryKey: ['system', 'storage'] })
            }}
          />
        )
      }
    >
      <dl className="host-facts">
        <div>
          <dt>{t('system:would_free')}</dt>
          <dd>
            <strong>{size(bytes)}</strong> <span className="soft">{t('system:files', { count: files, files: count(files) })}</span>
            {due.uploads > 0 && <div className="soft">{t('system:uploads_of_it', { count: due.uploads, size: size(due.upload_bytes) })}</div>}
          </dd>
        </div>
        <div>
          <dt>{t('system:next_collection')}</dt>
          <dd>{next ? <Until at={next} /> : '–'}</dd>
        </div>
        <div>
          <dt>{t('system:last_collection')}</dt>
          <dd>{last ? <Last last={last} /> : t('system:none_yet')}</dd>
        </div>
      </dl>
      <p className="soft">{t('system:collection_says')}</p>
    </Sheet>
  )
}

function Last({ last }: { last: Collection }) {
  const { t } = useTranslation()
  const bytes = last.freed.artifact_bytes + last.freed.upload_bytes
  return (
    <>
      {last.error ? (
        <>
          <Mark tone="bad">{t('system:collection_failed')}</Mark>
          <div className="soft mono">{last.error}</div>
        </>
      ) : last.held ? (
        <Mark tone="warn">{t('system:collection_held')}</Mark>
      ) : (
        <Mark tone="good">{bytes === 0 ? t('system:collected_nothing') : t('system:collected', { size: size(bytes) })}</Mark>
      )}
      <div className="soft">
        <When at={last.at} /> · {last.by ?? t('system:by_itself')} · {span(last.took_ms)}
      </div>
    </>
  )
}
