namespace ResumableUploads.TestKit;

/// <summary>What a store can do beyond what every store does. Each ability brings cases of its own.</summary>
[Flags]
public enum StoreAbilities
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>It has <see cref="Abstractions.IStagesAppends"/>: bytes under a digest count together or not at all.</summary>
    StagesAppends = 1,

    /// <summary>Its storage outlives it, and can be opened by two stores at once: after a restart, and from two processes.</summary>
    SharesStorage = 2,

    /// <summary>It makes a short upload in one step: <see cref="Abstractions.IUploadStore.MaxWholeLength"/> is more than 0.</summary>
    CreatesWhole = 4,
}
