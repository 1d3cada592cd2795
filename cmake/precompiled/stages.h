// The same of stages: coroutines and JSON.
#include <simdjson.h>

#include <boost/asio/awaitable.hpp>
