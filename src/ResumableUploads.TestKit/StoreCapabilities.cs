using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>What a store can do beyond what every store does. Each ability brings cases of its own.</summary>
[Flags]
public enum StoreCapabilities
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>It has <see cref="Abstractions.IStagedAppendStore"/>: bytes under a digest count together or not at all.</summary>
    StagedAppends = 1,

    /// <summary>Its storage outlives it, and can be opened by two stores at once: after a restart, and from two processes.</summary>
    SharedStorage = 2,

    /// <summary>The store has <see cref="ISingleRequestStore"/>: it can create a short upload together with all of its bytes.</summary>
    SingleRequests = 4,
}
