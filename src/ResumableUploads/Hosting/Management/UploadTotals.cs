using ResumableUploads.Engine.Expiration;

namespace ResumableUploads;

/// <summary>A number of uploads and of their bytes.</summary>
/// <param name="Count">The number of uploads.</param>
/// <param name="Bytes">The number of bytes in the store. The content of a completed upload counts until it is moved or removed.</param>
public readonly record struct UploadTotals(long Count, long Bytes)
{
    internal static UploadTotals From(UploadCount count) => new(count.Uploads, count.Bytes);
}
