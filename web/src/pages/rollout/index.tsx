import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Tabs } from 'antd'
import { useTranslation } from 'react-i18next'
import { meQuery, placesQuery, rolloutQuery } from '../../api/queries'
import type { Rollout } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { useMay } from '../../parts/may'
import { Page, Sheet } from '../../parts/page'
import { Trouble } from '../../parts/trouble'
import { Acts } from './acts'
import { Checks, Instances } from './checks'
import { EvidenceCurve, ShareCurve } from './curves'
import { judgementQuery, rolloutEventsQuery } from './data'
import { Facts, Place } from './head'
import { Facts as EventRows, Timeline } from './history'
import { Logs } from './logs'
import { Metrics } from './metrics'
import { Agreement } from './people'
import './rollout.css'
import { Sites } from './sites'
import { isLive, moves } from './story'
import { Track } from './track'
import { Traffic } from './traffic'
import { VerdictSheet } from './verdict'

export function RolloutPage() {
  const { t } = useTranslation()
  const { rollout } = useParams({ from: '/inside/rollouts/$rollout' })
  const read = useQuery(rolloutQuery(rollout))
  if (!read.data)
    return (
      <Page title={t('rollout:title')}>
        <Sheet>
          <Loaded of={read} rows={8}>
            {() => null}
          </Loaded>
        </Sheet>
      </Page>
    )
  return (
    <>
      {read.isError && <Trouble error={read.error} again={() => void read.refetch()} />}
      <Shown key={rollout} rollout={read.data} />
    </>
  )
}

function Shown({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const may = useMay()
  const live = isLive(rollout.phase)
  const { data: me } = useQuery(meQuery)
  const events = useQuery(rolloutEventsQuery(rollout))
  const judgement = useQuery({ ...judgementQuery(rollout.id, live), enabled: rollout.judgement != null })
  const status = useQuery(placesQuery(rollout.service))
  const places = (status.data ?? []).filter((p) => p.env === rollout.env && rollout.sites.some((s) => s.site === p.site))
  const under = places.find((p) => p.rollout && p.rollout !== rollout.id)?.rollout ?? undefined
  const judged = judgement.data
  const title = rollout.from
    ? t('rollout:head.title', { service: rollout.service, from: rollout.from.label, to: rollout.to.label })
    : t('rollout:head.title_first', { service: rollout.service, to: rollout.to.label })
  return (
    <div className="rollout">
      <Page title={title} above={<Place rollout={rollout} />} actions={<Acts rollout={rollout} places={places} who={me?.user?.handle ?? me?.name} />}>
        <Facts rollout={rollout} />
        <VerdictSheet
          rollout={rollout}
          judged={judged}
          events={events.data ?? []}
          live={places[0]?.release?.label}
          under={under}
        />
        {rollout.approvals && <Agreement approvals={rollout.approvals} />}
        <Track rollout={rollout} touched={live || moves(events.data ?? []).length > 0} />
        {rollout.sites.length > 1 && <Sites rollout={rollout} />}
        {rollout.phase !== 'queued' && (
          <div className="rollout-curves">
            <Loaded of={events}>{(all) => <ShareCurve rollout={rollout} events={all} />}</Loaded>
            {rollout.judgement && <Loaded of={judgement}>{(all) => <EvidenceCurve rollout={rollout} judged={all} />}</Loaded>}
            {judged && <Traffic rollout={rollout} judged={judged} />}
          </div>
        )}
        {judged ? (
          <Metrics judged={judged} />
        ) : (
          rollout.judgement && (
            <Sheet>
              <Loaded of={judgement} rows={6}>
                {() => null}
              </Loaded>
            </Sheet>
          )
        )}
        <Sheet>
          <Tabs
            destroyOnHidden
            items={[
              { key: 'timeline', label: t('rollout:timeline.title'), children: <Timeline rollout={rollout} /> },
              {
                key: 'instances',
                label: t('rollout:instances.title'),
                children: <Loaded of={status}>{() => <Instances rollout={rollout} places={places} />}</Loaded>,
              },
              { key: 'checks', label: t('rollout:checks.title'), children: <Checks report={rollout.verification} /> },
              ...(may('read_logs', { service: rollout.service, env: rollout.env }) ? [{ key: 'logs', label: t('rollout:logs.title'), children: <Logs rollout={rollout} /> }] : []),
              { key: 'events', label: t('rollout:events.title'), children: <Loaded of={events}>{(all) => <EventRows events={all} />}</Loaded> },
            ]}
          />
        </Sheet>
      </Page>
    </div>
  )
}
