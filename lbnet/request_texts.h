// RequestTexts: strings that some requests need while they are served, lent by a worker. They keep
// their memory from one request to the next, so that none of them allocates, and a connection that
// is idle holds none.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lb::net {

struct RequestTexts {
  std::string method, target, host;  // For the log, when there is one.
  std::string location;              // Of a redirect.
  std::string cors;                  // Fields of the answer.
  std::string client;                // Whom trusted proxies say a request comes from.
  std::string request_id, traceparent;
};

// One worker's; not for several threads. Holds as many as were ever lent at a time.
class RequestTextPool {
 public:
  std::unique_ptr<RequestTexts> take() {
    if (free_.empty()) return std::make_unique<RequestTexts>();
    std::unique_ptr<RequestTexts> texts = std::move(free_.back());
    free_.pop_back();
    return texts;
  }
  void give(std::unique_ptr<RequestTexts> texts) {
    for (std::string* text :
         {&texts->method, &texts->target, &texts->host, &texts->location, &texts->cors,
          &texts->client, &texts->request_id, &texts->traceparent}) {
      text->clear();
    }
    free_.push_back(std::move(texts));
  }

 private:
  std::vector<std::unique_ptr<RequestTexts>> free_;
};

// Those of one request, borrowed when the first is needed; all of them are empty then.
class BorrowedTexts {
 public:
  explicit BorrowedTexts(RequestTextPool& pool) : pool_(pool) {}
  ~BorrowedTexts() {
    if (texts_) pool_.give(std::move(texts_));
  }
  BorrowedTexts(const BorrowedTexts&) = delete;
  BorrowedTexts& operator=(const BorrowedTexts&) = delete;

  RequestTexts& operator*() {
    if (!texts_) texts_ = pool_.take();
    return *texts_;
  }
  RequestTexts* operator->() { return &**this; }

 private:
  RequestTextPool& pool_;
  std::unique_ptr<RequestTexts> texts_;
};

}  // namespace lb::net
