using System.Security.Cryptography;

namespace ResumableUploads.Client.Sources;

/// <summary>Hashes each byte of a content once, in order, however often and from wherever it is sent.</summary>
/// <param name="digest">The algorithm.</param>
internal sealed class ContentHasher(UploadDigest digest) : IDisposable
{
    private readonly IncrementalHash _hash = DigestField.CreateHash(digest);
    private readonly Lock _lock = new();
    private long _position;

    /// <summary>Gets the number of hashed bytes.</summary>
    public long Position
    {
        get
        {
            lock (_lock)
            {
                return _position;
            }
        }
    }

    /// <summary>Adds those of the bytes that directly follow the hashed ones.</summary>
    public void Append(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (offset <= _position && offset + bytes.Length > _position)
            {
                _hash.AppendData(bytes[(int)(_position - offset)..]);
                _position = offset + bytes.Length;
            }
        }
    }

    /// <summary>Returns the digest of the hashed bytes as the value of a digest field (RFC 9530).</summary>
    public string Format()
    {
        lock (_lock)
        {
            return DigestField.Format(digest, _hash);
        }
    }

    public void Dispose() => _hash.Dispose();
}
