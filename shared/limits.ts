/** Every bound of the program with its reason, in one place. Octets unless the name says otherwise; times in milliseconds. */

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const limits = {
  /** A line without its end: room for a path of 4 KiB in quotes, small enough to hold for ten thousand connections. */
  lineOctetsMax: 8192,
  /** A blob on the line protocol; larger contents travel in chunks. */
  blobOctetsMax: MIB,
  /** A message: longer things are files. */
  messageOctetsMax: 16 * KIB,
  /** What GET sends in one row: long enough to be fast, short enough that a chat line behind it is not late. */
  chunkOctets: 256 * KIB,
  /** The piece by which clients upload and verify. */
  pieceOctets: MIB,
  /** Pieces of which PIECES gives the hashes: how small and large they may be, how many, and for how many files a person asks at once. */
  pieceOctetsMin: 64 * KIB,
  pieceOctetsMax: 16 * MIB,
  piecesMax: 100_000,
  piecesAtOnceMax: 4,
  /** What one KEEP copies: its answer must not take longer than a client waits. */
  keepOctetsMax: 64 * MIB,
  /** Files of one content that are looked through for one that the uploader may download. */
  sameContentsMax: 100,
  /** Contents up to here live in the store's own transaction, so that ten thousand small files need no fsync each. */
  inlineOctetsMax: 16 * KIB,
  /** Requests begun and not answered, per connection; then the server stops reading. So many share one commit. */
  unansweredMax: 1_024,
  /** What they hold together, with their blobs. */
  unansweredOctetsMax: 8 * MIB,
  /** Labelled GETs that stream at once on one connection; the next is `busy`. */
  streamingMax: 8,
  /** Unsent output at which the server stops reading requests. */
  outputOctetsHigh: 256 * KIB,
  /** Unsent events at which a reader is told of a GAP instead. */
  eventOctetsMax: MIB,
  /** Unacknowledged octets of a download whose client announced `credit`. */
  creditOctets: 256 * KIB,
  /** No write progress for this long resets a connection. */
  stallMs: 60_000,
  /** Time to give a name after connecting. */
  loginMs: 30_000,
  /** People type slower than programs. */
  terminalLoginMs: 60_000,
  /** TELNET: how long a client has to answer what it is asked first; all clients that were tried take less than 210 ms. */
  telnetAnswerMs: 750,
  /** Keeps what forgets silent connections, such as a router, from forgetting this one. */
  telnetNopMs: 300_000,
  subnegotiationOctetsMax: 4 * KIB,
  /** Negotiations of one connection that are heard: no client needs forty. */
  negotiationsMax: 200,
  /** Names that a client may give for its terminal (RFC 1091). */
  terminalTypesMax: 8,
  /** Passwords and names that one connection may try. */
  loginTriesMax: 10,
  /** FTP: a command line; octets without a line end after which nobody speaks FTP; a login, a pause between commands. */
  commandOctetsMax: 4 * KIB,
  endlessOctetsMax: 64 * KIB,
  controlIdleMs: 300_000,
  /** Errors before a login after which the connection ends. */
  loginErrorsMax: 20,
  /** Commands read and not begun; then the server stops reading. */
  commandsHeldMax: 64,
  /** A data connection: time to be opened, and to bring or take nothing. */
  dataConnectMs: 20_000,
  dataStallMs: 120_000,
  /** A recursive listing goes so deep and names so many. */
  listDepthMax: 16,
  listEntriesMax: 10_000,
  /** A proxy's header: room for what it may add about TLS, and time for a packet that is sent again. */
  proxyHeaderOctetsMax: 4 * KIB,
  proxyHeaderMs: 5_000,
  /** The kernel's own default is two hours. */
  keepaliveMs: 60_000,
  /** Clients that announce `heartbeat` are pinged this often, and dropped after two misses. */
  heartbeatMs: 30_000,
  /** Lingering close: how long, and for how many octets, input is read and thrown away so that the last reply is heard. */
  lingerMs: 5_000,
  lingerOctetsMax: 8 * MIB,
  /** Teaching: how long a connection may wait between the peer's FIN and its own. */
  holdMsMax: 10_000,
  /** Wire view: events that wait for a slow watcher, those of a connection that nobody has entered on yet, and views at once. */
  wireEventsMax: 2_000,
  wireUnknownMax: 500,
  wireViewsMax: 32,
  /** What is kept of a captured packet, and packets that came before their connection was accepted. */
  wirePacketOctetsMax: 4 * KIB,
  wireEarlyMax: 200,
  /**
   * The share of one core that looking at the kernel's table may take, what of it may be saved up, for how long it is
   * spent when a connection opens or ends, and how often is looked at most and at least.
   */
  wireShareMax: 0.1,
  wireSavedMs: 500,
  wireHurryMs: 600,
  wirePeriodMsMin: 10,
  wirePeriodMsMax: 5_000,
  /** SIGTERM: how long running transfers may take to finish. */
  drainMs: 30_000,
  /** A ticket for a further connection of a session. */
  ticketMs: 60_000,
  ticketsMax: 16,
  /** An upload that nobody continues. */
  uploadMs: 7 * 24 * 3_600_000,
  /** Received octets after which what is held is made safe on disk and recorded, so a crash costs at most this much again. */
  uploadSyncOctets: 16 * MIB,
  uploadsPerPersonMax: 1_000,
  /** Folders that a session watches: each is looked at for every file of its room. */
  watchesMax: 100,
  /** What is too old is looked for this often, first soon after the start, and goes by so many events in one transaction. */
  retentionMs: 3_600_000,
  retentionSoonMs: 60_000,
  retentionRowsMax: 1_000,
  /** Webhooks: each reads the logs for itself, so there are few. */
  webhooksMax: 50,
  webhookRoomsMax: 100,
  webhookUrlCharsMax: 2_000,
  /** Events between two notes of how far one is: at most so many are posted again after a crash. */
  webhookRowsMax: 100,
  /** Time to answer; wait before the second try, doubling to the longest; waits together after which one is paused. */
  webhookAnswerMs: 10_000,
  webhookRetryMs: 1_000,
  webhookRetryMsMax: 300_000,
  webhookTriesMs: 24 * 3_600_000,
  /** How long `SAY id=` remembers. */
  repeatMs: 24 * 3_600_000,
  /** In a room with more ears than this, comings and goings wait so long for each other: a thousand people who enter would make a million writes. */
  presenceAtOnceMax: 50,
  presenceGatherMs: 100,
  /** Rows that JOIN replays before it names the rest as a GAP. */
  replayRowsMax: 500,
  /** Rows that one HISTORY may ask for. */
  historyRowsMax: 1_000,
  /** Characters of a query, and words in it: each is looked up in every room. */
  searchCharsMax: 300,
  searchTermsMax: 32,
  /** What one look into a transcript renders: writers wait meanwhile. */
  transcriptOctets: 64 * KIB,
  /** Entries of one recursive removal, move or copy: one transaction must stay short. */
  treeEntriesMax: 100_000,
  /** Names of people and rooms, in characters. */
  nameCharsMax: 32,
  /** One component of a path, as POSIX file systems hold it. */
  fileNameOctetsMax: 255,
  pathOctetsMax: 4096,
  topicCharsMax: 300,
  reasonCharsMax: 200,
  awayCharsMax: 200,
  /** A reaction: the longest emoji, families and flags, have about thirty; words stay short beside a message. */
  reactionOctetsMax: 32,
  /** Kinds of reactions of one message, and of all people together: they lie in its row, which history must read fast. */
  reactionKindsMax: 20,
  reactionsMax: 500,
  /** One TYPING per session and room in this time; clients show it a little longer. */
  typingMs: 3_000,
  /** Read marks of a person are written at most so often: losing a second of them in a crash harms nobody. */
  readWriteMs: 1_000,
  /** Rooms whose read mark is kept for a person; the one that was moved longest ago goes. */
  readRoomsMax: 1_000,
  /** Conversations of two that a person begins in a day: more is advertising. */
  newDirectsMax: 100,
  newDirectsMs: 24 * 3_600_000,
  /** People whom one person ignores. */
  ignoresMax: 1_000,
  /** People who are told that one message names them. */
  mentionsMax: 20,
  passwordCharsMax: 256,
  roomsPerPersonMax: 100,
  /** Failed logins: this many are free, then the wait doubles from one second to this. */
  loginFailuresFree: 5,
  loginWaitMsMax: 30_000,
  /** Failed logins from one address within ten minutes after which it is kept out, and for how long. */
  addressFailuresMax: 20,
  addressBlockMs: 3_600_000,
  /** Invites: how long one opens unless it says otherwise, how often at most, and how many there are. */
  inviteMs: 7 * 24 * 3_600_000,
  inviteUsesMax: 1_000,
  invitesMax: 10_000,
  /** A word of CODE: time to walk from one screen to another. */
  codeMs: 300_000,
  /** How long a verified password is remembered, so that a mirror of ten thousand logins pays for one. */
  verifiedMs: 600_000,
  /** Passwords waiting for the one worker that hashes them. */
  passwordQueueMax: 64,
  /** Web: how long a session outlives its last request, for accounts and for guests, whose name is free again then. */
  visitIdleMs: 300_000,
  guestIdleMs: 3_600_000,
  /** How long a browser stays signed in, as a Duration. */
  browserFor: '30d',
  /** One answer at a terminal: what is shown at most, and held for it. */
  screenRowsMax: 10_000,
  screenOctetsMax: MIB,
  /** Rows that one JSON answer holds; more come as NDJSON. */
  jsonRowsMax: 10_000,
  /** HTTP requests of one address in a minute: a mirror of small files makes hundreds in a second. */
  requestsPerMinuteMax: 60_000,
  connectionsPerAddressMax: 1_000,
} as const;
