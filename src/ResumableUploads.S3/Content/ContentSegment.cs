using ResumableUploads.S3.State;

namespace ResumableUploads.S3.Content;

/// <summary>A segment and its place in the content.</summary>
/// <param name="Folder">The folder of the object.</param>
/// <param name="Name">The name of the object in the folder.</param>
/// <param name="Start">The position of its first byte in the content.</param>
/// <param name="Length">Its length, in bytes.</param>
internal readonly record struct ContentSegment(string Folder, string Name, long Start, long Length)
{
    public long End => Start + Length;

    /// <summary>Returns the segment with the byte at a position.</summary>
    public static ContentSegment Find(UploadDocument document, long position)
    {
        long start = 0;
        foreach (SegmentRun run in document.Segments)
        {
            if (position < start + run.TotalLength)
            {
                int index = (int)((position - start) / run.Length);
                return new ContentSegment(run.Folder ?? document.Folder, SegmentRun.GetName(run.Epoch, run.First + index), start + (index * run.Length), run.Length);
            }

            start += run.TotalLength;
        }

        throw new ArgumentOutOfRangeException(nameof(position));
    }
}
