namespace ResumableUploads.Engine.Digests;

/// <summary>A hash that is computed from consecutive blocks of bytes.</summary>
internal interface IIncrementalHash : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Returns the hash of the bytes appended so far. More bytes can be appended afterwards.</summary>
    byte[] GetCurrentHash();

    /// <summary>Returns a hash with the same bytes appended so far. The caller disposes it.</summary>
    IIncrementalHash Clone();
}
