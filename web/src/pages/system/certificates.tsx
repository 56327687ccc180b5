import { UploadOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { Certificate } from '../../api/schema'
import { Act } from '../../parts/act'
import { Field } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'
import { certificatesQuery } from './queries'

export function Certificates() {
  const { t } = useTranslation()
  const certificates = useQuery(certificatesQuery)
  return (
    <Sheet title={t('system:certificates')} extra={<Add />}>
      <p className="soft">{t('system:certificates_says')}</p>
      <Loaded of={certificates}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('system:no_certificates')}>
              {t('system:no_certificates_yet')}
              <Copyable label={t('system:command')} text="acme_email: ops@example.com" />
            </Nothing>
          ) : (
            <Rows
              label={t('system:certificates')}
              items={items}
              id={(one) => one.id}
              columns={[
                { head: t('system:names'), wide: true, cell: (one) => one.names.map((name) => <div key={name}><strong>{name}</strong></div>) },
                { head: t('system:valid_until'), cell: (one) => <Left certificate={one} /> },
                { head: t('system:origin'), cell: (one) => <>{t(`system:origin_of.${one.origin}`, { defaultValue: one.origin })}<div className="soft">{one.by}, <When at={one.added_at} /></div></> },
                { head: t('system:shown_on'), cell: (one) => (one.shown_on === 0 ? <Mark tone="warn">{t('system:shown_nowhere')}</Mark> : t('system:hosts', { count: one.shown_on })) },
                { head: t('system:do'), acts: true, cell: (one) => <Remove certificate={one} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}

function Left({ certificate: { days_left: days, expiring, valid_until: until } }: { certificate: Certificate }) {
  const { t } = useTranslation()
  const tone = days < 0 ? 'bad' : expiring ? 'warn' : 'good'
  return (
    <>
      <Mark tone={tone}>{days < 0 ? t('system:over') : t('system:days_left', { count: days })}</Mark>
      <div className="soft">{exact(until)}</div>
    </>
  )
}

function Remove({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const names = certificate.names.join(', ')
  return (
    <Act
      label={t('system:remove')}
      quiet
      size="small"
      danger
      says={t('system:certificate_remove_says', { names })}
      perform={async () => {
        await api.DELETE('/api/v1/certificates/{digest}', { params: { path: { digest: certificate.id } } })
        await client.invalidateQueries({ queryKey: ['certificates'] })
      }}
      done={t('system:certificate_removed', { names })}
    />
  )
}

function Add() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [chain, setChain] = useState('')
  const [key, setKey] = useState('')
  return (
    <Act
      label={t('system:certificate_add')}
      icon={<UploadOutlined />}
      primary
      ready={chain.trim() !== '' && key.trim() !== ''}
      says={t('system:certificate_add_says')}
      onPutOff={() => setKey('')}
      perform={async () => {
        await api.POST('/api/v1/certificates', { body: { chain, key } })
        setChain('')
        setKey('')
        await client.invalidateQueries({ queryKey: ['certificates'] })
      }}
      done={t('system:certificate_added')}
    >
      <Pem label={t('system:chain')} example="fullchain.pem" value={chain} set={setChain} />
      <Pem label={t('system:key')} example="privkey.pem" value={key} set={setKey} />
    </Act>
  )
}

/** From a file, or pasted. */
function Pem({ label, example, value, set }: { label: string; example: string; value: string; set: (text: string) => void }) {
  const { t } = useTranslation()
  return (
    <Field label={label} hint={t('system:pem_hint', { example })}>
      {(id) => (
        <>
          <Input.TextArea id={id} value={value} rows={4} className="mono" spellCheck={false} autoComplete="off" placeholder="-----BEGIN" onChange={(e) => set(e.target.value)} />
          <input
            type="file"
            className="pem-file"
            accept=".pem,.crt,.cer,.key"
            aria-label={t('system:from_file', { what: label })}
            onChange={(event) => void event.target.files?.[0]?.text().then(set)}
          />
        </>
      )}
    </Field>
  )
}
