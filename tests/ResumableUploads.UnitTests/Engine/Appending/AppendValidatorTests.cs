using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Appending;

public class AppendValidatorTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxUploadSize = 1000 };

    [Theory]
    [InlineData(0L, null, null, null)]
    [InlineData(0L, 1000L, 1000L, null)]
    [InlineData(0L, null, 1001L, "UploadTooLarge")]
    [InlineData(0L, 1000L, null, null)]
    [InlineData(0L, 1001L, null, "UploadTooLarge")]
    [InlineData(1L, 1000L, null, "UploadTooLarge")]
    [InlineData(long.MaxValue, 1L, null, "UploadTooLarge")]
    [InlineData(long.MaxValue, long.MaxValue, null, "UploadTooLarge")]
    [InlineData(0L, long.MaxValue, long.MaxValue, "UploadTooLarge")]
    [InlineData(0L, 11L, 10L, "LengthExceeded")]
    [InlineData(9L, 2L, 10L, "LengthExceeded")]
    [InlineData(9L, 1L, 10L, null)]
    [InlineData(10L, 0L, 10L, null)]
    [InlineData(0L, long.MaxValue, 10L, "LengthExceeded")]
    public void CheckCommand_returns_the_violated_limit(long offset, long? bodyLength, long? uploadLength, string? expected) =>
        Assert.Equal(expected, AppendValidator.CheckCommand(Command(offset, bodyLength, uploadLength), Settings)?.Kind.ToString());

    [Theory]
    [InlineData(long.MaxValue, 1L, null, null)]
    [InlineData(9L, 2L, 10L, null)]
    [InlineData(5L, 0L, 1001L, "UploadTooLarge")]
    public void CheckCommand_without_creation_checks_only_the_upload_length(long offset, long? bodyLength, long? uploadLength, string? expected) =>
        Assert.Equal(expected, AppendValidator.CheckCommand(Command(offset, bodyLength, uploadLength) with { CreateIfMissing = null }, Settings)?.Kind.ToString());

    [Theory]
    [InlineData(5L, 5L, null, 5L, null, null)]
    [InlineData(4L, 5L, null, 5L, null, "OffsetMismatch")]
    [InlineData(6L, 5L, null, 5L, null, "OffsetMismatch")]
    [InlineData(5L, 5L, 10L, 5L, 10L, null)]
    [InlineData(5L, 5L, 10L, 5L, null, null)]
    [InlineData(5L, 5L, 11L, 5L, 10L, "LengthConflict")]
    [InlineData(5L, 0L, 4L, 5L, null, "LengthConflict")]
    [InlineData(5L, 6L, null, 5L, 10L, "LengthExceeded")]
    [InlineData(5L, null, null, 5L, 10L, null)]
    [InlineData(5L, 995L, null, 5L, null, null)]
    [InlineData(5L, 996L, null, 5L, null, "UploadTooLarge")]
    public void CheckAgainstUpload_returns_the_mismatch(
        long offset, long? bodyLength, long? uploadLength, long storedOffset, long? storedLength, string? expected)
    {
        UploadResult? result = AppendValidator.CheckAgainstUpload(Command(offset, bodyLength, uploadLength), Upload(storedOffset, storedLength), new EngineRecord(), Settings);
        Assert.Equal(expected, result?.Kind.ToString());
        Assert.Equal(expected is null ? null : storedOffset, result?.Offset);
    }

    [Theory]
    [InlineData("AtLength", "EndOfBody", 10L, 10L, true)]
    [InlineData("AtLength", "EndOfBody", 9L, 10L, false)]
    [InlineData("AtLength", "EndOfBody", 10L, null, false)]
    [InlineData("AtLength", "Disconnected", 10L, 10L, true)]
    [InlineData("AtLength", "Preempted", 10L, 10L, true)]
    [InlineData("AtLength", "LimitExceeded", 10L, 10L, false)]
    [InlineData("AtLengthOrFullBody", "EndOfBody", 10L, null, true)]
    [InlineData("AtLengthOrFullBody", "Disconnected", 10L, null, false)]
    [InlineData("AtLengthOrFullBody", "IdleTimeout", 10L, null, false)]
    [InlineData("AtLengthOrFullBody", "EndOfBody", 9L, 10L, false)]
    [InlineData("AtLengthOrFullBody", "EndOfBody", 10L, 10L, true)]
    [InlineData("AtLengthOrFullBody", "LimitExceeded", 10L, 10L, false)]
    [InlineData("AtLengthOrFullBody", "LimitExceeded", 10L, null, false)]
    [InlineData("AtFullBody", "EndOfBody", 10L, null, true)]
    [InlineData("AtFullBody", "EndOfBody", 9L, 10L, false)]
    [InlineData("AtFullBody", "Disconnected", 10L, 10L, false)]
    [InlineData("Never", "EndOfBody", 10L, 10L, false)]
    public void CompletesUpload_follows_the_completion_rule(string rule, string end, long offset, long? length, bool expected) =>
        Assert.Equal(expected, AppendValidator.CompletesUpload(Enum.Parse<CompletionRule>(rule), Enum.Parse<BodyEndReason>(end), offset, length));

    private static AppendCommand Command(long offset, long? bodyLength, long? uploadLength) => new()
    {
        Key = new UploadKey("o", "i"),
        Offset = offset,
        Body = PipeReader.Create(Stream.Null),
        BodyLength = bodyLength,
        UploadLength = uploadLength,
        CompletionRule = CompletionRule.AtLength,
        CreateIfMissing = new CreateCommand("file-id", null, null),
    };

    private static UploadInfo Upload(long offset, long? length) => new()
    {
        Key = new UploadKey("o", "i"),
        Version = "v",
        Offset = offset,
        Record = new UploadRecord { Length = length },
        LastModified = DateTimeOffset.UnixEpoch,
    };
}
