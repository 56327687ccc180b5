import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Input, Segmented } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { servicesQuery } from '../../api/queries'
import { Act } from '../../parts/act'
import { Field } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Nothing, Sheet } from '../../parts/page'
import { say } from '../../parts/toast'
import { PolicyForm } from './policy-form'
import { hasComments, read, type Tree, write } from './policy-text'
import { policyQuery } from './queries'

export function Policies({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const services = useQuery(servicesQuery)
  const [chosen, setChosen] = useState<string>()
  return (
    <Loaded of={services}>
      {(all) => {
        const environments = [...new Set(all.flatMap((s) => s.environments.map((e) => e.name)))].sort()
        const env = chosen ?? environments.find((name) => name === 'production') ?? environments[0]
        if (env === undefined)
          return (
            <Sheet>
              <Nothing title={t('people:no_environments')}>{t('people:no_environments_yet')}</Nothing>
            </Sheet>
          )
        return (
          <Sheet
            title={t('people:policy_of', { env })}
            extra={environments.length > 1 && <Segmented value={env} options={environments} onChange={setChosen} aria-label={t('people:environment')} />}
          >
            <p className="soft">{t('people:policy_says')}</p>
            <Environment key={env} env={env} may={may} />
          </Sheet>
        )
      }}
    </Loaded>
  )
}

function Environment({ env, may }: { env: string; may: boolean }) {
  const policy = useQuery(policyQuery(env))
  return <Loaded of={policy}>{({ text }) => (may ? <Editor env={env} stored={text} /> : <Text text={text} />)}</Loaded>
}

const treeOf = (text: string): { [key: string]: Tree } | undefined => {
  try {
    return read(text)
  } catch {
    return undefined
  }
}

function Text({ text }: { text: string }) {
  const { t } = useTranslation()
  if (text.trim() === '') return <Nothing title={t('people:policy_empty')}>{t('people:policy_empty_says')}</Nothing>
  return <pre className="policy-shown">{text}</pre>
}

function Editor({ env, stored }: { env: string; stored: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  // What was stored when the editing began: the answer to whether somebody else changed it meanwhile.
  const [base, setBase] = useState(stored)
  const [draft, setDraft] = useState(stored)
  const changed = draft !== base
  const overtaken = stored !== base
  useEffect(() => {
    if (!overtaken || changed) return
    setBase(stored)
    setDraft(stored)
  }, [overtaken, changed, stored])
  const tree = treeOf(draft)

  const set = async (text: string, reason: string): Promise<void> => {
    await api.PUT('/api/v1/environments/{env}/policy', { params: { path: { env } }, body: { text, reason } })
    setBase(text)
    setDraft(text)
    await client.invalidateQueries({ queryKey: ['policies', env] })
  }
  const save = async (reason: string): Promise<void> => {
    const now = await client.fetchQuery({ ...policyQuery(env), staleTime: 0 })
    if (now.text !== base) return say(t('people:policy_overtaken'), { bad: true })
    await set(draft, reason)
    say(t('people:policy_set'), { undo: () => set(base, t('people:policy_undo_reason')) })
  }

  return (
    <>
      {overtaken && changed && (
        <Alert
          type="warning"
          showIcon
          style={{ marginBottom: '0.75rem' }}
          title={t('people:policy_overtaken')}
          description={<pre>{stored || t('people:policy_empty')}</pre>}
          action={
            <>
              <Button size="small" onClick={() => { setBase(stored); setDraft(stored) }}>{t('people:policy_theirs')}</Button>{' '}
              <Button size="small" onClick={() => setBase(stored)}>{t('people:policy_mine')}</Button>
            </>
          }
        />
      )}
      <div className="policy">
        <div>
          {tree ? (
            <PolicyForm tree={tree} set={(next) => setDraft(write(next))} />
          ) : (
            <Alert type="info" showIcon title={t('people:policy_unread')} description={t('people:policy_unread_says')} />
          )}
        </div>
        <div className="policy-text">
          <Field label={t('people:policy_text')} hint={hasComments(draft) ? t('people:policy_comments') : undefined}>
            {(id) => (
              <Input.TextArea id={id} value={draft} autoSize={{ minRows: 12, maxRows: 30 }} spellCheck={false} placeholder={t('people:policy_empty')} onChange={(e) => setDraft(e.target.value)} />
            )}
          </Field>
          <div className="sheet-do">
            <Act
              label={t('people:policy_save')}
              primary
              reason="needed"
              refused={changed ? undefined : t('people:policy_unchanged')}
              says={draft.trim() ? t('people:policy_save_says', { env }) : t('people:policy_clear_says', { env })}
              perform={save}
            />
            {changed && <Button onClick={() => setDraft(base)}>{t('people:as_it_was')}</Button>}
          </div>
        </div>
      </div>
    </>
  )
}
