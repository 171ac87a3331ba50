using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Model;

/// <summary>The expected state of one upload: the laws in their simplest form, without storage.</summary>
internal sealed class UploadModel(string version, int data)
{
    public string Version { get; private set; } = version;

    public byte[] Bytes { get; private set; } = [];

    public UploadState State { get; private set; }

    public int Data { get; private set; } = data;

    public int? Response { get; set; }

    /// <summary>Returns the status that an append at an offset must have.</summary>
    public AppendStatus GetExpectedAppendStatus(long offset, bool isCommitted) =>
        State != UploadState.Receiving ? AppendStatus.NotReceiving
        : offset != Bytes.Length ? AppendStatus.OffsetMismatch
        : isCommitted ? AppendStatus.Appended : AppendStatus.Discarded;

    public void Append(byte[] bytes, string version)
    {
        Bytes = [.. Bytes, .. bytes];
        Version = version;
    }

    public void Update(UploadState state, int data, string version)
    {
        State = state;
        Data = data;
        Version = version;
    }
}
