using ResumableUploads.S3.State;

namespace ResumableUploads.S3.Content;

/// <summary>A part of a composed object.</summary>
/// <param name="Start">The position of its first byte in the content.</param>
/// <param name="Length">Its length, in bytes.</param>
/// <param name="Source">The segment that contains it, if the service can copy it from there; otherwise <see langword="null"/>.</param>
internal readonly record struct ContentPart(long Start, long Length, ContentSegment? Source);

/// <summary>Divides the content into the parts of a multipart upload, of which all but the last have at least 5 MiB.</summary>
internal static class PartPlan
{
    public const int MinPartLength = 5 * 1024 * 1024;

    private const int MaxParts = 9_900;
    private const long MaxCopyLength = 1L << 30;

    public static IEnumerable<ContentPart> Create(UploadDocument document)
    {
        long total = document.Offset;
        long minLength = Math.Max(MinPartLength, (total + MaxParts - 1) / MaxParts);
        for (long position = 0; position < total;)
        {
            ContentSegment segment = ContentSegment.Find(document, position);
            long rest = segment.End - position;
            bool isCopied = rest >= minLength || segment.End == total;
            var part = new ContentPart(position, isCopied ? Math.Min(rest, Math.Max(MaxCopyLength, minLength)) : Math.Min(minLength, total - position), isCopied ? segment : null);
            yield return part;
            position += part.Length;
        }
    }
}
