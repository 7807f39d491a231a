#pragma once

#include "leveret/topology/entry.hpp"
#include "leveret/topology/exchange.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/topology.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret {

namespace topology_detail {

/// A language of pictures: how nodes and arrows are written. Names of nodes are letters and numbers.
struct mermaid_language {
    static constexpr std::string_view begin = "flowchart LR\n";
    static constexpr std::string_view end = "";

    /// In Mermaid's labels # begins a character's number, and " ends the label.
    static void add_text(std::string& to, std::string_view text)
    {
        for (const char c : text) {
            if (c == '#' || c == '"' || c == '<' || c == '>' || c == '&')
                to.append("#").append(std::to_string(static_cast<int>(c))).append(";");
            else
                to += c;
        }
    }
    static void exchange(std::string& to, std::string_view id, std::string_view name,
                         std::string_view type)
    {
        to.append("    ").append(id).append("{{\"");
        add_text(to, name);
        to += "<br/>";
        add_text(to, type);
        to += "\"}}\n";
    }
    static void queue(std::string& to, std::string_view id, std::string_view name)
    {
        to.append("    ").append(id).append("[(\"");
        add_text(to, name);
        to += "\")]\n";
    }
    static void arrow(std::string& to, std::string_view from, std::string_view into,
                      std::string_view label, bool is_dotted)
    {
        to.append("    ").append(from).append(is_dotted ? " -.->" : " -->");
        if (!label.empty()) {
            to += "|\"";
            add_text(to, label);
            to += "\"|";
        }
        to.append(" ").append(into).append("\n");
    }
};

struct graphviz_language {
    static constexpr std::string_view begin = "digraph topology {\n    rankdir=LR\n";
    static constexpr std::string_view end = "}\n";

    static void add_text(std::string& to, std::string_view text)
    {
        for (const char c : text) {
            if (c == '"' || c == '\\')
                to += '\\';
            to += c;
        }
    }
    static void exchange(std::string& to, std::string_view id, std::string_view name,
                         std::string_view type)
    {
        to.append("    ").append(id).append(" [shape=hexagon, label=\"");
        add_text(to, name);
        to += "\\n";
        add_text(to, type);
        to += "\"]\n";
    }
    static void queue(std::string& to, std::string_view id, std::string_view name)
    {
        to.append("    ").append(id).append(" [shape=cylinder, label=\"");
        add_text(to, name);
        to += "\"]\n";
    }
    static void arrow(std::string& to, std::string_view from, std::string_view into,
                      std::string_view label, bool is_dotted)
    {
        to.append("    ").append(from).append(" -> ").append(into).append(" [label=\"");
        add_text(to, label);
        to.append(is_dotted ? "\", style=dashed]\n" : "\"]\n");
    }
};

inline void add_value(std::string& to, const argument_entry& a)
{
    if (a.kind == constant_kind::text)
        to.append(a.text);
    else if (a.kind == constant_kind::boolean)
        to.append(a.number != 0 ? "true" : "false");
    else
        to.append(std::to_string(a.number));
}

/// What a binding lets through, for its arrow: the key, the headers.
[[nodiscard]] inline std::string label_of(const binding_entry& b)
{
    std::string label(b.key);
    for (const argument_entry& a : b.arguments) {
        if (!label.empty())
            label += ", ";
        label += a.name;
        if (a.kind != constant_kind::nothing) {
            label += '=';
            add_value(label, a);
        }
    }
    return label;
}

template <class Language>
class picture {
public:
    explicit picture(const topology_view& t) : topology_(t) {}

    [[nodiscard]] std::string text() &&
    {
        out_ = Language::begin;
        for (std::size_t i = 0; i < topology_.exchanges.size(); ++i)
            Language::exchange(out_, "x" + std::to_string(i), topology_.exchanges[i]->name,
                               topology_.exchanges[i]->type);
        for (std::size_t i = 0; i < topology_.queues.size(); ++i)
            Language::queue(out_, "q" + std::to_string(i), topology_.queues[i]->name);
        for (const binding_entry* b : topology_.bindings)
            Language::arrow(out_, exchange(b->source->name),
                            b->leads_to_exchange ? exchange(b->destination) : queue(b->destination),
                            label_of(*b), false);
        for (const exchange_entry* e : topology_.exchanges)
            if (e->options.alternate_exchange)
                Language::arrow(out_, exchange(e->name), exchange(*e->options.alternate_exchange),
                                "unrouted", true);
        for (const queue_entry* q : topology_.queues)
            if (q->options.dead_letter_exchange)
                dead_letters(*q);
        return std::move(out_.append(Language::end));
    }

private:
    /// The default exchange brings dead letters to the queue that the key names, or back to where they came from.
    void dead_letters(const queue_entry& q)
    {
        const std::string_view to = *q.options.dead_letter_exchange;
        const std::string_view key = q.options.dead_letter_routing_key.value_or(std::string_view());
        std::string label = "dead letters";
        if (!key.empty() && (!to.empty() || queue(key).empty()))
            label.append(" as ").append(key);
        const std::string direct = to.empty() ? queue(key) : std::string();
        Language::arrow(out_, queue(q.name), direct.empty() ? exchange(to) : direct, label, true);
    }
    [[nodiscard]] std::string queue(std::string_view name) const
    {
        for (std::size_t i = 0; i < topology_.queues.size(); ++i)
            if (topology_.queues[i]->name == name)
                return "q" + std::to_string(i);
        return {};
    }
    /// The node of an exchange; one that is only the broker's, such as amq.fanout for dead letters, is added when an
    /// arrow needs it.
    [[nodiscard]] std::string exchange(std::string_view name)
    {
        for (std::size_t i = 0; i < topology_.exchanges.size(); ++i)
            if (topology_.exchanges[i]->name == name)
                return "x" + std::to_string(i);
        std::string id = name.empty() ? "default_exchange" : std::string(name);
        for (char& c : id)
            c = c == '.' ? '_' : c;
        if (added_.find(" " + id + " ") == std::string::npos) {
            constexpr std::string_view types[] = {"direct", "fanout", "topic", "headers", ""};
            added_.append(" ").append(id).append(" ");
            Language::exchange(out_, id, name.empty() ? "default exchange" : name,
                               types[static_cast<std::size_t>(predeclared_kind(name))]);
        }
        return id;
    }

    topology_view topology_;
    std::string out_, added_;
};

} // namespace topology_detail

/// Pictures of a topology, as text. Exchanges are hexagons, queues are cylinders, each binding is an arrow with its
/// key, pattern or headers; where dead letters and unrouted messages go is dotted.
///
///     std::cout << lv::draw<desk>::mermaid();
template <a_topology T>
struct draw {
    /// For Markdown on many sites, in a block named `mermaid`.
    [[nodiscard]] static std::string mermaid()
    {
        return picture<topology_detail::mermaid_language>();
    }
    /// For `dot -Tsvg`.
    [[nodiscard]] static std::string graphviz()
    {
        return picture<topology_detail::graphviz_language>();
    }

private:
    template <class Language>
    [[nodiscard]] static std::string picture()
    {
        return topology_detail::picture<Language>(topology_detail::view_of<T>()).text();
    }
};

} // namespace leveret
