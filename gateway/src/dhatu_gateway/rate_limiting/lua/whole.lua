-- A number as the text of an integer: Lua's own way would round it to 14 digits.
local function whole(number)
  return string.format("%.0f", number)
end
