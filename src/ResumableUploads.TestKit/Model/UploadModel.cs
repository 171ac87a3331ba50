using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Model;

/// <summary>One upload as the laws want it to be, without storage: so little that it can be seen to be right.</summary>
internal sealed class UploadModel(string version, int data)
{
    public string Version { get; private set; } = version;

    public byte[] Bytes { get; private set; } = [];

    public UploadState State { get; private set; }

    public int Data { get; private set; } = data;

    public int? Response { get; set; }

    /// <summary>How an append at this offset is to end.</summary>
    public AppendStatus GetExpectedAppendStatus(long offset, bool isWanted) =>
        State != UploadState.Receiving ? AppendStatus.NotReceiving
        : offset != Bytes.Length ? AppendStatus.OffsetMismatch
        : isWanted ? AppendStatus.Appended : AppendStatus.Discarded;

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
