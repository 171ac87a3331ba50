namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// The body of a run that finds the content moved away by an earlier run. It cannot be empty, which would be read as an empty file: it says
/// what has happened.
/// </summary>
internal sealed class MovedContentStream(long length) : Stream
{
    private const string MovedMessage =
        "An earlier run of this endpoint has moved the content away. Look at IResumableUploadFeature.IsRepeat before the body is read; " +
        "MoveToAsync and MoveIntoAsync may be repeated, and give the path of the file.";

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => throw new InvalidOperationException(MovedMessage);

    public override long Seek(long offset, SeekOrigin origin) => throw new InvalidOperationException(MovedMessage);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
