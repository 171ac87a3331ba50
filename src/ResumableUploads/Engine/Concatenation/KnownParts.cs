using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// The parts that one request or sweep has read, so that it reads each of them once, however many concatenations name it. A part that receives its last byte
/// later has another request that completes its concatenations.
/// </summary>
internal sealed class KnownParts
{
    private readonly ConcurrentDictionary<UploadKey, UploadInfo> _parts = new();

    /// <summary>Returns a part as it was read, or null if it was not read or does not exist.</summary>
    public UploadInfo? Find(UploadKey key) => _parts.GetValueOrDefault(key);

    /// <summary>Adds parts, or replaces them by newer states. Ignores elements that are null.</summary>
    public void Add(params ReadOnlySpan<UploadInfo?> parts)
    {
        foreach (UploadInfo? part in parts)
        {
            if (part is not null)
            {
                _parts[part.Key] = part;
            }
        }
    }
}
