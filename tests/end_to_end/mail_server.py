#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""A mail server on loopback for tests: keeps what it takes, and misbehaves as FOLDER/script says.

Each mail becomes FOLDER/mails/N.json: envelope, headers and parts, read by Python's own parser.
FOLDER/script has one word a line, each used for one conversation:
  drop_greeting drop_mail drop_rcpt drop_data   the connection ends there
  drop_after     the mail is kept, and its answer never comes
  drop_unkept    the mail is not kept, and its answer never comes
  rcpt_450 rcpt_550 data_451 data_554 mail_553  refusals
  hold_data      nothing is answered to DATA while FOLDER/hold is there
  hold_after     the mail is kept, and not answered while FOLDER/hold is there
"""
import argparse
import asyncio
import email
import email.policy
import json
import os
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, syntax

REFUSALS = {
    "rcpt_450": "450 4.2.1 <{}> greylisted",
    "rcpt_550": "550 5.1.1 <{}> no such person",
    "data_451": "451 4.3.0 try again later",
    "data_554": "554 5.7.1 we do not like it",
    "mail_553": "553 5.7.1 you may not send from there",
}


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.mails = folder / "mails"
        self.mails.mkdir(exist_ok=True)
        self.count = 0

    def next_fault(self):
        script = self.folder / "script"
        lines = script.read_text().split() if script.exists() else []
        if not lines:
            return ""
        # One conversation, one word; written beside and renamed, since a test may be writing too.
        beside = self.folder / "script.rest"
        beside.write_text("\n".join(lines[1:]))
        os.replace(beside, script)
        with open(self.folder / "faults", "a") as faults:
            faults.write(lines[0] + "\n")
        return lines[0]

    async def held(self):
        (self.folder / "holding").touch()
        while (self.folder / "hold").exists():
            await asyncio.sleep(0.02)
        (self.folder / "holding").unlink(missing_ok=True)

    def keep(self, session, envelope):
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.SMTP)
        body = message.get_body(("plain",))
        self.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
            "longest": max(len(line) for line in envelope.original_content.split(b"\r\n")),
            "body": body.get_content() if body else None,
            "attachments": [
                {"name": part.get_filename(), "type": part.get_content_type(), "text": part.get_content()}
                for part in message.iter_attachments()
            ],
        }
        beside = self.mails / f".{self.count}"
        beside.write_text(json.dumps(kept, ensure_ascii=False))
        os.replace(beside, self.mails / f"{self.count}.json")


class Server(SMTP):
    def __init__(self, store, **options):
        super().__init__(self, **options)
        self.store = store
        self.fault = None

    def connection_made(self, transport):
        # Once more after STARTTLS: the same conversation.
        if self.fault is None:
            self.fault = self.store.next_fault()
        if self.fault == "drop_greeting":
            transport.abort()
        super().connection_made(transport)

    def use(self, *words):
        """Whether one of these faults is due; then it is used up."""
        if self.fault in words:
            used, self.fault = self.fault, ""
            return used
        return ""

    async def refuse(self, *words):
        used = self.use(*words)
        if used:
            await self.push(REFUSALS[used].format(self.envelope.rcpt_tos or "address"))
        return bool(used)

    @syntax("MAIL FROM: <address>")
    async def smtp_MAIL(self, arg):
        if self.use("drop_mail"):
            self.transport.abort()
        elif not await self.refuse("mail_553"):
            await super().smtp_MAIL(arg)

    @syntax("RCPT TO: <address>")
    async def smtp_RCPT(self, arg):
        if self.use("drop_rcpt"):
            self.transport.abort()
        elif not await self.refuse("rcpt_450", "rcpt_550"):
            await super().smtp_RCPT(arg)

    @syntax("DATA")
    async def smtp_DATA(self, arg):
        if self.use("drop_data"):
            self.transport.abort()
            return
        if self.use("hold_data"):
            await self.store.held()
        if not await self.refuse("data_451"):
            await super().smtp_DATA(arg)

    async def handle_DATA(self, _server, session, envelope):
        if self.use("drop_unkept"):
            self.transport.abort()
            return ""
        if self.use("data_554"):
            return REFUSALS["data_554"]
        self.store.keep(session, envelope)
        if self.use("drop_after"):
            self.transport.abort()
            return ""
        if self.use("hold_after"):
            await self.store.held()
        return "250 2.0.0 kept"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=pathlib.Path)
    options = parser.parse_args()
    settings = {"hostname": "mail.test"}
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        settings |= {"tls_context": context, "require_starttls": True}
    if options.user:
        password = options.password_file.read_bytes().strip()

        def authenticate(_server, _session, _envelope, _mechanism, data):
            good = isinstance(data, LoginPassword) and data == LoginPassword(options.user.encode(), password)
            return AuthResult(success=good, handled=False, auth_data=data)

        settings |= {"authenticator": authenticate, "auth_required": True}
    store = Store(options.folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(store, loop=asyncio.get_running_loop(), **settings), "127.0.0.1", 0
    )
    beside = options.folder / ".port"
    beside.write_text(str(server.sockets[0].getsockname()[1]))
    os.replace(beside, options.folder / "port")
    async with server:
        await server.serve_forever()


asyncio.run(main())
