using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>Specifies the optional capabilities of a store. Each one adds cases.</summary>
[Flags]
public enum StoreCapabilities
{
    /// <summary>No optional capabilities.</summary>
    None = 0,

    /// <summary>The store has <see cref="IStagedAppendStore"/>: it can keep the bytes of an append all together or not at all.</summary>
    StagedAppends = 1,

    /// <summary>The storage outlives the store, and several stores can use it at once: after a restart, and from several processes.</summary>
    SharedStorage = 2,

    /// <summary>The store has <see cref="ISingleRequestStore"/>: it can create a short upload together with all of its bytes.</summary>
    SingleRequests = 4,

    /// <summary>The store has <see cref="IReplacingStore"/>: it can replace an upload by another one in a single step.</summary>
    Replacements = 8,

    /// <summary>The store has <see cref="IContentMover"/>: it can move the content of a finished upload to a file.</summary>
    ContentMoves = 16,

    /// <summary>The store has <see cref="IDeferredSyncStore"/>: it can make several changes of an upload durable together.</summary>
    DeferredSyncs = 32,

    /// <summary>The store has <see cref="ITakeoverStore"/>: it can ask another process to end its append. Needs <see cref="SharedStorage"/>.</summary>
    Takeovers = 64,

    /// <summary>
    /// The store has <see cref="IContentCopier"/>: it can copy the content of a finished upload within its storage service. The fixture overrides
    /// <see cref="StoreFixture.CopyContainer"/> and <see cref="StoreFixture.ReadCopyAsync"/>.
    /// </summary>
    ContentCopies = 128,

    /// <summary>The store has <see cref="IContentUrlProvider"/>: it can create URLs that let their bearer read the content of a finished upload.</summary>
    ContentUrls = 256,
}
