#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret::engine {

/// Bytes as RabbitMQ prints them in the texts of connection.close, which is Erlang's way: `<<"abc">>` if all
/// can be printed, else their numbers, `<<0,20,1>>`. At most `most` of them, for a text has 255 bytes in all.
[[nodiscard]] inline std::string octets_text(std::string_view bytes, std::size_t most = 100)
{
    bytes = bytes.substr(0, most);
    bool printable = !bytes.empty();
    for (const char c : bytes) {
        const auto octet = static_cast<unsigned char>(c);
        printable = printable && octet >= 32 && octet < 127;
    }
    std::string text = "<<";
    if (printable) {
        text += '"';
        for (const char c : bytes) {
            if (c == '"' || c == '\\')
                text += '\\';
            text += c;
        }
        text += '"';
    } else {
        for (const char c : bytes)
            (text += std::to_string(static_cast<unsigned char>(c))) += ',';
        if (!bytes.empty())
            text.pop_back();
    }
    return text += ">>";
}

/// The same for what nobody may read.
[[nodiscard]] inline std::string size_text(std::string_view bytes)
{
    return "<<" + std::to_string(bytes.size()) + " octets>>";
}

} // namespace leveret::engine
