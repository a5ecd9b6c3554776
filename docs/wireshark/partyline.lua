-- Shows the line protocol PL/1 (docs/protocol/line.md) in Wireshark and tshark: one line of the protocol is one message,
-- with its label, blob, verb and text; a request and its reply are told apart by who began the connection.
--   tshark -X lua_script:partyline.lua -d tcp.port==7070,partyline -r FILE
-- In Wireshark: put it into the folder of personal Lua plugins; "Decode As" chooses it for another port than 7070.

local partyline = Proto("partyline", "partyline line protocol")
local field = {
  kind = ProtoField.string("partyline.kind", "Kind"),
  label = ProtoField.string("partyline.label", "Label"),
  verb = ProtoField.string("partyline.verb", "Verb"),
  code = ProtoField.string("partyline.code", "Error code"),
  arguments = ProtoField.string("partyline.arguments", "Arguments"),
  text = ProtoField.string("partyline.text", "Text"),
  octets = ProtoField.uint32("partyline.blob.octets", "Octets of the blob"),
  blob = ProtoField.bytes("partyline.blob", "Blob"),
  line = ProtoField.string("partyline.line", "Line"),
}
partyline.fields = field

local kinds = { ["+"] = "done", ["-"] = "refused", ["="] = "row", ["*"] = "event" }
-- What must not stand in a list of packets that is shown to others.
local secret = { LOGIN = true, TOKEN = true, REGISTER = true, PASSWORD = true, ATTACH = true }
local secret_keys = { "password", "new", "old", "token", "ticket", "code", "invite", "secret" }
-- Every request that there is; another one may be a secret that was typed alone on a line.
local shown_requests = {}
for name in ([[
  HELLO CAPS HELP PING LISTEN TICKET CANCEL CREDIT QUIT NICK CODE WHOAMI ROOMS CREATE JOIN PART TOPIC NAMES SAY EDIT
  DELETE HISTORY SEARCH TELL REACT READ TYPING WHO AWAY IGNORE UNIGNORE IGNORES LS STAT GET MKDIR RM TOUCH MV CP PUT
  CHUNK OFFSET COMMIT ABORT UPLOADS PIECES KEEP WATCH UNWATCH ROLE ROLES VISIBILITY KICK BAN UNBAN MUTE UNMUTE BANS
  SLOW QUOTA ALLOWANCE RETENTION INVITE INVITES MINT TOKENS SESSIONS REVOKE BLOCK UNBLOCK BLOCKS STATS WEBHOOK
  WEBHOOKS REHOOK UNHOOK WIRE LINGER
]]):gmatch("%S+") do shown_requests[name] = true end

local function masked(words)
  for _, key in ipairs(secret_keys) do
    words = (" " .. words):gsub("( " .. key .. '=)"[^"]*"', "%1•••"):gsub("( " .. key .. "=)%S+", "%1•••"):sub(2)
  end
  return words
end
local line_octets_max = 65536

-- The index of the line feed from `at` on, or nil.
local function line_end(buffer, at)
  for i = at, math.min(buffer:len(), at + line_octets_max) - 1 do
    if buffer(i, 1):uint() == 10 then return i end
  end
  return nil
end

local function dissect_message(buffer, at, stop, tree, pinfo)
  local raw = buffer(at, stop - at):string():gsub("\r$", "")
  local rest = raw
  local label, after = rest:match("^#([%w%-_.]+) (.*)$")
  if label then rest = after end
  local size, behind = rest:match("^{(%d+)} (.*)$")
  if size then rest = behind end
  local marker, body = rest:match("^([+%-=*]) (.*)$")
  if marker then rest = body end
  local verb, args = rest:match("^(%S+) ?(.*)$")
  verb = (verb or ""):upper()
  local blob_octets = size and tonumber(size) or 0
  local ending = size and 1 or 0
  -- The blob has a line end of its own, in the style of the line.
  if size and stop > at and buffer(stop - 1, 1):uint() == 13 then ending = 2 end
  local whole = stop + 1 - at + blob_octets + ending
  if at + whole > buffer:len() then return nil, whole - (buffer:len() - at) end

  local is_hidden = not marker and (secret[verb] or not shown_requests[verb])
  args = masked(args)
  local shown = masked(raw)
  if is_hidden then shown = (secret[verb] and verb .. " " or "") .. "•••" end
  local message = tree:add(partyline, buffer(at, whole), "partyline: " .. shown)
  message:add(field.line, buffer(at, stop - at), shown)
  message:add(field.kind, kinds[marker or ""] or "request"):set_generated()
  if label then message:add(field.label, label) end
  message:add(field.verb, is_hidden and not secret[verb] and "•••" or verb)
  if marker == "-" then
    local code, more = args:match("^(%S+) ?(.*)$")
    if code then
      message:add(field.code, code)
      args = more
    end
  end
  if not is_hidden then
    local before, text = args:match("^(.-) ?:(.*)$")
    if args:sub(1, 1) == ":" then before, text = "", args:sub(2) end
    if text and (before == "" or args:find(before .. " :", 1, true)) then
      if before ~= "" then message:add(field.arguments, before) end
      message:add(field.text, text)
    elseif args ~= "" then
      message:add(field.arguments, args)
    end
  end
  if size then
    message:add(field.octets, blob_octets)
    if blob_octets > 0 then message:add(field.blob, buffer(stop + 1, blob_octets)) end
  end
  local summary = (marker and marker .. " " or "") .. (shown:len() > 60 and not is_hidden and verb or shown:gsub("^#%S+ ", ""):gsub("^[+%-=*] ", ""))
  pinfo.cols.info:append((pinfo.private.partyline and " · " or "") .. summary)
  pinfo.private.partyline = "1"
  return whole, 0
end

function partyline.dissector(buffer, pinfo, root)
  pinfo.cols.protocol = "partyline"
  pinfo.cols.info = ""
  local at = 0
  while at < buffer:len() do
    local stop = line_end(buffer, at)
    if not stop then
      if buffer:len() - at >= line_octets_max then return end
      pinfo.desegment_offset = at
      pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
      return
    end
    local taken, missing = dissect_message(buffer, at, stop, root, pinfo)
    if not taken then
      pinfo.desegment_offset = at
      pinfo.desegment_len = missing
      return
    end
    at = at + taken
  end
end

DissectorTable.get("tcp.port"):add(7070, partyline)
