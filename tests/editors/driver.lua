-- Steers Neovim for a test: it does what each line of JSON on a socket asks for, and tells what it shows when that
-- changes. Loaded as the user's configuration; the language server is set up as a user of that version would.

local uv = vim.uv or vim.loop
local SEVERITIES = { "error", "warning", "information", "hint" }
local PATIENCE_MS = 15000

local socket = uv.new_tcp()

local function send(message)
  socket:write(vim.fn.json_encode(message) .. "\n")
end

local function client()
  return (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1]
end

-- Diagnostics

local function shown(diagnostic)
  local buffer, row = diagnostic.bufnr, diagnostic.lnum
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ""
  local ok, text =
    pcall(vim.api.nvim_buf_get_text, buffer, row, diagnostic.col, diagnostic.end_lnum, diagnostic.end_col, {})
  return {
    line = row,
    column = vim.fn.strchars(line:sub(1, diagnostic.col)),
    text = ok and table.concat(text, "\n") or "",
    severity = SEVERITIES[diagnostic.severity],
    code = diagnostic.code or diagnostic.user_data.lsp.code, -- 0.7 keeps it in the raw diagnostic alone
    source = diagnostic.source,
    message = diagnostic.message,
  }
end

local function all_shown()
  return vim.tbl_map(shown, vim.diagnostic.get(0))
end

vim.api.nvim_create_autocmd("DiagnosticChanged", {
  callback = function()
    send({ shown = all_shown() })
  end,
})

local show_message = vim.lsp.handlers["window/showMessage"]
vim.lsp.handlers["window/showMessage"] = function(error, result, ...)
  send({ popup = result.message })
  return show_message(error, result, ...)
end

-- What can be asked for

local function go_to(line, column)
  local text = vim.api.nvim_buf_get_lines(0, line, line + 1, true)[1]
  vim.api.nvim_win_set_cursor(0, { line + 1, vim.fn.byteidx(text, column) })
end

local function float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      return window
    end
  end
end

local asked = {}

function asked.open(with)
  vim.cmd("edit " .. vim.fn.fnameescape(with.path))
end

function asked.edit(with)
  vim.api.nvim_buf_set_lines(0, with.first, with.stop, true, with.lines)
end

function asked.undo()
  vim.cmd("silent undo")
end

function asked.hover(with)
  go_to(with.line, with.column)
  vim.lsp.buf.hover()
  vim.wait(PATIENCE_MS, float, 10)
  local window = assert(float(), "no hover came")
  local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
  vim.api.nvim_win_close(window, true)
  return table.concat(lines, "\n")
end

function asked.actions(with)
  go_to(with.line, with.column)
  local titles
  vim.ui.select = function(items, options, on_choice)
    titles = vim.tbl_map(options.format_item, items)
    for index, title in ipairs(titles) do
      if title == with.choose then
        return on_choice(items[index], index)
      end
    end
    on_choice(nil)
  end
  vim.lsp.buf.code_action()
  vim.wait(PATIENCE_MS, function()
    return titles ~= nil
  end, 10)
  return assert(titles, "no menu came")
end

function asked.execute(with)
  local function done(error, result)
    send({ done = result or { state = "error", message = error.message } })
  end
  local params = { command = with.command, arguments = with.arguments }
  local server = client()
  if vim.fn.has("nvim-0.11") == 1 then
    server:request("workspace/executeCommand", params, done, 0)
  else
    server.request("workspace/executeCommand", params, done, 0)
  end
end

function asked.quit()
  vim.cmd("qall!")
end

-- The socket

local function take(line)
  local message = vim.fn.json_decode(line)
  local ok, value = pcall(asked[message["do"]], message.with)
  if ok then
    send({ answer = message.id, value = value == nil and vim.NIL or value })
  else
    send({ answer = message.id, problem = tostring(value) })
  end
end

local pending = ""
socket:connect("127.0.0.1", tonumber(vim.env.KIMI_TEST_PORT), function(failed)
  assert(not failed, failed)
  socket:read_start(function(_, chunk)
    if not chunk then
      return vim.schedule(asked.quit)
    end
    pending = pending .. chunk
    for line in pending:gmatch("([^\n]*)\n") do
      vim.schedule(function()
        take(line)
      end)
    end
    pending = pending:match("[^\n]*$")
  end)
end)

-- The server, as a user of this version sets it up

local config = {
  name = "kimi",
  cmd = vim.fn.json_decode(vim.env.KIMI_TEST_SERVER),
  settings = vim.fn.json_decode(vim.env.KIMI_TEST_SETTINGS),
}
if vim.fn.has("nvim-0.11") == 1 then
  config.filetypes, config.root_markers = { "python" }, { "kimi.toml" }
  vim.lsp.config("kimi", config)
  vim.lsp.enable("kimi")
else
  config.root_dir = vim.fn.getcwd()
  config.on_init = function(server) -- it answers no workspace/configuration; its users' plugin pushes them
    server.notify("workspace/didChangeConfiguration", { settings = server.config.settings })
  end
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "python",
    callback = function(event)
      vim.lsp.buf_attach_client(event.buf, vim.lsp.start_client(config))
    end,
  })
end
