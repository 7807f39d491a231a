// Bytes from anywhere through all that decodes. The first octet says how to take the rest: as a stream of
// frames, or as one payload. What is accepted must come back when it is encoded again: the same values,
// and the same bytes but for what may be written in several ways.
#include "support/bytes.hpp"

#include <leveret/wire/content_header.hpp>
#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>
#include <leveret/wire/table_codec.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace leveret::wire;
using leveret::protocol_errc;
using leveret::table;
using leveret::test::exact_bytes;

constexpr std::uint32_t depth = 16;

void require(bool condition, const char* what)
{
    if (condition)
        return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// Equal but for the octets of booleans in tables, where any but 0 is true and is written as 1, and for
/// py-amqp's L, which is written as l.
void require_same_table(std::string_view came, std::string_view written)
{
    require(came.size() == written.size(), "a table keeps its size");
    for (std::size_t i = 0; i < came.size(); ++i)
        require(came[i] == written[i] || (written[i] == 1 && came[i] != 0 && written[i - 1] == 't') ||
                    (written[i] == 'l' && came[i] == 'L'),
                "a table keeps its bytes");
}

void try_table(table_view view)
{
    if (check_table(view, depth) != protocol_errc::none)
        return;
    const table t = decode_table(view);
    require(is_encodable(t, depth), "what was received can be sent");
    require(encoded_size(t) == view.encoded.size(), "a table knows its size");
    const std::string written = encode_table(t);
    require_same_table(view.encoded, written);
    require(decode_table({written}) == t, "a table comes back");
}

struct look_into_tables {
    unsigned bits = 0;
    void operator()(std::string_view, const table_view& v) { try_table(v); }
    void operator()(std::string_view, const bool&) { ++bits; }
    void operator()(std::string_view, const auto&) {}
};

template <method Method>
void try_arguments(std::string_view arguments)
{
    reader in(arguments);
    const Method m = decode<Method>(in);
    require(in.remaining() == 0, "everything is read, or there is an error");
    if (!in.ok())
        return;
    look_into_tables look;
    Method::fields(m, look);
    require(fits(m), "what was received fits");
    require(encoded_size(m) == arguments.size() + 4, "a method knows its size");
    std::string payload(encoded_size(m), '?');
    writer out(payload.data(), payload.size());
    encode(out, m);
    require(out.ok() && out.size() == payload.size(), "a method is written");
    // Bits that have no meaning are ignored and written as 0: once, for the second time is the same.
    if (look.bits == 0)
        require(std::string_view(payload).substr(4) == arguments, "a method keeps its bytes");
    reader again(std::string_view(payload).substr(4));
    require(decode<Method>(again) == m && again.ok(), "a method comes back");
}

void try_method(std::string_view payload)
{
    reader in(payload);
    const std::uint16_t class_id = in.u16();
    const method_number id{class_id, in.u16()};
    if (!in.ok())
        return;
    const bool is_known = all_methods::visit(id, [&]<class Method>() {
        try_arguments<Method>(payload.substr(4));
    });
    require(is_known == !all_methods::name(id).empty(), "a method has a name");
}

void try_header(std::string_view payload)
{
    content_header header;
    if (parse_content_header(payload, depth, header) != protocol_errc::none)
        return;
    const leveret::properties p = decode_properties(header.properties);
    require(p.flags() == header.properties.flags(), "the same properties");
    require(unencodable(p).empty(), "what was received can be sent");
    std::string written(content_header_size + encoded_size(p), '?');
    writer out(written.data(), written.size());
    encode_content_header(out, header.body_size, p);
    require(out.ok() && out.size() == written.size(), "a header is written");
    require(written.size() == payload.size(), "a header keeps its size");
    content_header again;
    require(parse_content_header(written, depth, again) == protocol_errc::none, "a header comes back");
    require(again.body_size == header.body_size, "with its size of body");
    require(decode_properties(again.properties) == p, "with its properties");
    // All but the weight, which means nothing, and the booleans in its table.
    require(written.substr(0, 2) == payload.substr(0, 2), "class");
    require_same_table(payload.substr(4), std::string_view(written).substr(4));
}

/// The frames of a stream that arrives in pieces, each looked at in memory of just its size.
std::vector<std::string> frames_of(std::string_view stream, std::uint32_t frame_max, std::size_t piece,
                                   protocol_errc& error)
{
    std::vector<std::string> frames;
    std::size_t at = 0;
    std::size_t arrived = 0;
    for (;;) {
        const exact_bytes input(stream.substr(at, arrived - at));
        const frame_view frame = parse_frame(input.view(), frame_max);
        error = frame.error;
        if (error != protocol_errc::none)
            return frames;
        if (frame.size == 0) {
            require(frame.needed > input.view().size(), "more is needed than is there");
            require(frame.needed <= frame_max, "and no more than may come");
            if (arrived == stream.size())
                return frames;
            arrived = piece < stream.size() - arrived ? arrived + piece : stream.size();
            continue;
        }
        require(frame.size == frame.payload.size() + frame_overhead, "a frame is its payload and 8");
        require(frame.size <= frame_max, "no frame is above the limit");
        frames.emplace_back(input.view().substr(0, frame.size));
        at += frame.size;
    }
}

void try_stream(std::string_view stream, std::uint32_t frame_max, std::size_t piece)
{
    protocol_errc whole_error{};
    protocol_errc split_error{};
    const auto frames = frames_of(stream, frame_max, stream.size() + 1, whole_error);
    require(frames_of(stream, frame_max, piece, split_error) == frames, "no split changes the frames");
    require(whole_error == split_error, "nor the error behind them");
    for (const std::string& bytes : frames) {
        const frame_view frame = parse_frame(bytes, frame_max);
        std::string written(bytes.size(), '?');
        writer out(written.data(), written.size());
        write_frame_header(out, frame.type, frame.channel, frame.payload.size());
        out.bytes(frame.payload);
        out.u8(frame_end);
        require(written == bytes, "a frame keeps its bytes");
        const exact_bytes payload(frame.payload);
        if (frame.type == frame_type::method)
            try_method(payload.view());
        else if (frame.type == frame_type::header)
            try_header(payload.view());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const unsigned how = data[0];
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (how & 3U) {
    case 0: try_stream(input, (how & 4U) != 0 ? 131072U : frame_min_size, 1 + (how >> 3U)); break;
    case 1: try_method(input); break;
    case 2: try_header(input); break;
    default: try_table({input}); break;
    }
    return 0;
}
