// expect: a handler is a member of a class of which the dispatcher was given no object
#include <leveret/dispatch.hpp>

struct logger {
    void info() {}
};
void use(int& other)
{
    leveret::dispatch<leveret::on<"kern.*", &logger::info>> wrong(other);
}
