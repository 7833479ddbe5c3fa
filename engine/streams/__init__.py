"""Subscriptions: what clients are told of while they stay connected.

    events.py      what happened to a row, and where it is looked up; knows no transport
    hub.py         who follows what; reads the log of changes once for all, and hands events on
    callers.py     who is behind a connection, looked up again while it lasts
    channel.py     a connection, and the one task that writes to it while there is something to write
    websocket.py   graphql-transport-ws
    sse.py         GraphQL over Server-Sent Events, distinct connections

An open subscription is an entry in a table and no task. An event is read once for all who asked the same and see the
same, and the rows that happened to a slow client are kept as one event each.
"""
