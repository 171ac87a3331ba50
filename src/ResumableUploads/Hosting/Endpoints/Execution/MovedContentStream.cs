namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// The request body of a repeated handler run whose earlier run has moved the content out of the store. Reading it throws, because an empty body would
/// look like an empty file.
/// </summary>
/// <param name="length">The length of the content in bytes.</param>
internal sealed class MovedContentStream(long length) : Stream
{
    private const string MovedMessage =
        "An earlier run of this endpoint has moved the content out of the store. Check IResumableUploadFeature.IsRepeat before reading the body. " +
        "MoveToFileAsync and MoveToDirectoryAsync can be called again and return the path of the file.";

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
