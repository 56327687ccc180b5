import { Input, Select } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Field } from '../../parts/field'
import { useMay } from '../../parts/may'
import { at, type Path, put, type Tree } from './policy-text'
import { groupsQuery, usersQuery } from './queries'

type Kind = 'text' | 'list' | 'people' | readonly string[]

interface Key {
  path: Path
  kind: Kind
  example?: string
}

const key = (path: string, kind: Kind, example?: string): Key => ({ path: path.split('.'), kind, ...(example ? { example } : {}) })

/** As `policy-keys` of the guide has them. */
const PARTS: { name: string; keys: Key[]; rare?: boolean }[] = [
  { name: 'who', keys: [key('branches', 'list', 'main, release/*'), key('deployers', 'people')] },
  {
    name: 'approvals',
    keys: [key('approvals.count', 'text', '1'), key('approvals.hotfix', 'text', '0'), key('approvals.from', 'people'), key('approvals.own', ['true'])],
  },
  {
    name: 'strategy',
    keys: [
      key('strategy.type', ['all_at_once', 'rolling', 'blue_green', 'canary']),
      key('strategy.min', 'text', '5m'),
      key('strategy.promote', ['evidence', 'manual']),
      key('strategy.on_inconclusive', ['continue', 'hold', 'rollback']),
      key('strategy.soak', 'text', '10m'),
      key('strategy.warm', 'text', '1h'),
      key('strategy.watch', 'text', '10m'),
      key('strategy.verify', ['true']),
    ],
  },
  {
    name: 'judge',
    rare: true,
    keys: [
      key('strategy.judge.alpha', 'text', '1%'),
      key('strategy.judge.beta', 'text', '5%'),
      key('strategy.judge.r0', 'text', '1.1'),
      key('strategy.judge.r1', 'text', '2'),
      key('strategy.judge.floor', 'text', '0.1%'),
      key('strategy.judge.warmup', 'text', '10s'),
      key('strategy.judge.latency', 'list', '250ms, 1s'),
      key('strategy.judge.ignore.paths', 'list', '/healthz'),
      key('strategy.judge.ignore.agents', 'list'),
    ],
  },
  {
    name: 'limits',
    rare: true,
    keys: [
      key('strategy.limits.error_rate', 'text', '5%'),
      key('strategy.limits.p99', 'text', '2s'),
      key('strategy.limits.for', 'text', '10s'),
      key('strategy.limits.min_requests', 'text', '20'),
    ],
  },
]

type Policy = { [key: string]: Tree }

/** `strategy: canary` says no more than its type. */
const spread = (tree: Policy): Policy => (typeof tree['strategy'] === 'string' && tree['strategy'] ? { ...tree, strategy: { type: tree['strategy'] } } : tree)

export function PolicyForm({ tree, set }: { tree: Policy; set: (tree: Policy) => void }) {
  const { t } = useTranslation()
  const policy = spread(tree)
  return PARTS.map(({ name, keys, rare }) => (
    <details key={name} className="policy-part" open={!rare || keys.some((one) => at(policy, one.path) !== undefined)}>
      <summary>
        <h3>{t(`people:policy_part.${name}`)}</h3>
      </summary>
      <div className="fields">
        {keys.map((one) => (
          <OneKey key={one.path.join('.')} of={one} value={at(policy, one.path)} set={(value) => set(put(policy, one.path, value))} />
        ))}
      </div>
    </details>
  ))
}

function OneKey({ of, value, set }: { of: Key; value: Tree | undefined; set: (value: Tree | undefined) => void }) {
  const { t } = useTranslation()
  const name = of.path.join('_')
  const list = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : typeof value === 'string' && value ? [value] : []
  const text = typeof value === 'string' ? value : ''
  const example = of.example ? t('people:such_as', { example: of.example }) : ''
  return (
    <Field label={t(`people:policy_key.${name}`)} hint={t(`people:policy_hint.${name}`, { defaultValue: '' })}>
      {(id) => {
        if (of.kind === 'text')
          return <Input id={id} value={text} placeholder={example} onChange={(e) => set(e.target.value.trim() || undefined)} />
        if (of.kind === 'list') return <Names id={id} value={list} placeholder={example} among={[]} set={set} />
        if (of.kind === 'people') return <People id={id} value={list} set={set} />
        return (
          <Select
            id={id}
            value={text}
           
            style={{ width: '100%' }}
            options={[
              { value: '', label: t(`people:policy_unset.${name}`, { defaultValue: t('people:not_demanded') }) },
              ...[...new Set([...of.kind, ...(text ? [text] : [])])].map((choice) => ({ value: choice, label: t(`people:policy_choice.${choice}`, { defaultValue: choice }) })),
            ]}
            onChange={(choice: string) => set(choice || undefined)}
          />
        )
      }}
    </Field>
  )
}

interface NamesProps {
  id: string
  value: string[]
  placeholder: string
  among: string[]
  set: (value: Tree | undefined) => void
}

const Names = ({ id, value, placeholder, among, set }: NamesProps) => (
  <Select
    id={id}
    mode="tags"
    value={value}
   
    placeholder={placeholder}
    style={{ width: '100%' }}
    tokenSeparators={[',', ' ']}
    {...(among.length ? {} : { open: false, suffixIcon: null })}
    options={among.map((name) => ({ value: name, label: name }))}
    onChange={(names: string[]) => set(names.length ? names : undefined)}
  />
)

function People({ id, value, set }: Omit<NamesProps, 'placeholder' | 'among'>) {
  const { t } = useTranslation()
  const may = useMay()
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: may('access') })
  const { data: groups = [] } = useQuery({ ...groupsQuery, enabled: may('access') })
  const among = [...groups.map((g) => g.name), ...users.filter((u) => !u.disabled_at).map((u) => u.handle)]
  return <Names id={id} value={value} placeholder={t('people:anybody')} among={among} set={set} />
}
