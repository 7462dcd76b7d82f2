/// A part of a message that is large and seldom there, kept on the heap, so that messages without it are quick to move.
@propertyWrapper
package struct Boxed<Value: Hashable & Sendable>: Hashable, Sendable {
  /// None or one.
  private var content: [Value] = []

  package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  package var wrappedValue: Value? {
    get { content.first }
    set {
      if let newValue { content = [newValue] } else if !content.isEmpty { content = [] }
    }
  }
}
