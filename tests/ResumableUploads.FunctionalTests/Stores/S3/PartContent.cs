using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>Content that comes from another upload, as for a concatenation.</summary>
internal sealed class PartContent(Stream source) : UploadContent
{
    public override PipeReader Reader { get; } = PipeReader.Create(source, new StreamPipeReaderOptions(leaveOpen: true));

    public override Stream? SourceStream => source;

    public override void ReportDurable(long durableOffset)
    {
    }

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
