// SPDX-License-Identifier: PostgreSQL
#include "pg/row_stream.hpp"

#include <exception>

namespace crm_bridge::pg {

namespace {

struct Receiver {
  DestReceiver base;
  void (*hand)(void *taker, const StreamedRow &row);
  void *taker;
  std::exception_ptr *failure;
  MemoryContext detoasted;
};

void start(DestReceiver *self, int, TupleDesc descriptor) {
  auto *receiver = reinterpret_cast<Receiver *>(self);
  if (descriptor->natts > RowStream::maximum_columns)
    elog(ERROR, "too many columns to stream: %d", descriptor->natts);
  receiver->detoasted = AllocSetContextCreateInternal(
      CurrentMemoryContext, "values of a streamed row", ALLOCSET_SMALL_SIZES);
}

// Called by the executor: it may raise only while no C++ object lives here, and no exception may
// leave it.
bool receive(TupleTableSlot *slot, DestReceiver *self) {
  auto *receiver = reinterpret_cast<Receiver *>(self);
  NullableDatum columns[RowStream::maximum_columns];
  slot_getallattrs(slot);
  bool detoasted = false;
  for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
    columns[i] = {slot->tts_values[i], slot->tts_isnull[i]};
    if (columns[i].isnull || TupleDescAttr(slot->tts_tupleDescriptor, i)->attlen != -1) continue;
    auto *value = reinterpret_cast<varlena *>(DatumGetPointer(columns[i].value));
    if (!VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value)) continue;
    MemoryContext const previous = MemoryContextSwitchTo(receiver->detoasted);
    columns[i].value = PointerGetDatum(pg_detoast_datum_packed(value));
    MemoryContextSwitchTo(previous);
    detoasted = true;
  }
  bool go_on = true;
  try {
    receiver->hand(receiver->taker, StreamedRow{columns});
  } catch (...) {
    *receiver->failure = std::current_exception();
    go_on = false;
  }
  if (detoasted) MemoryContextReset(receiver->detoasted);
  return go_on;
}

// The executor's own context holds what start() made, and goes with the query.
void shut_down(DestReceiver *) {}

}  // namespace

void RowStream::run(std::initializer_list<NullableDatum> arguments, Hand hand, void *taker) const {
  Assert(static_cast<int>(arguments.size()) == count_);
  std::exception_ptr failure;
  Receiver receiver{};
  receiver.base.receiveSlot = receive;
  receiver.base.rStartup = start;
  receiver.base.rShutdown = shut_down;
  receiver.base.rDestroy = shut_down;
  receiver.base.mydest = DestNone;
  receiver.hand = hand;
  receiver.taker = taker;
  receiver.failure = &failure;
  call([&] {
    ParamListInfo parameters = makeParamList(count_);
    int i = 0;
    for (const NullableDatum &argument : arguments) {
      ParamExternData &parameter = parameters->params[i];
      parameter.value = argument.value;
      parameter.isnull = argument.isnull;
      parameter.pflags = PARAM_FLAG_CONST;
      parameter.ptype = types_[static_cast<std::size_t>(i++)];
    }
    SPIExecuteOptions options{};
    options.params = parameters;
    options.read_only = true;
    options.dest = &receiver.base;
    int const result = SPI_execute_extended(text_, &options);
    if (result < 0) elog(ERROR, "could not read: %s", SPI_result_code_string(result));
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace crm_bridge::pg
