using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Appending;

public class AppendChecksTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxUploadSize = 1000 };

    [Theory]
    [InlineData(0L, null, null, null)]
    [InlineData(0L, 1000L, 1000L, null)]
    [InlineData(0L, null, 1001L, "TooLarge")]
    [InlineData(0L, 1000L, null, null)]
    [InlineData(0L, 1001L, null, "TooLarge")]
    [InlineData(1L, 1000L, null, "TooLarge")]
    [InlineData(long.MaxValue, 1L, null, "TooLarge")]
    [InlineData(long.MaxValue, long.MaxValue, null, "TooLarge")]
    [InlineData(0L, long.MaxValue, long.MaxValue, "TooLarge")]
    [InlineData(0L, 11L, 10L, "LengthExceeded")]
    [InlineData(9L, 2L, 10L, "LengthExceeded")]
    [InlineData(9L, 1L, 10L, null)]
    [InlineData(10L, 0L, 10L, null)]
    [InlineData(0L, long.MaxValue, 10L, "LengthExceeded")]
    public void F5_what_a_request_says_is_checked_before_any_upload_is_looked_for(long offset, long? body, long? size, string? refusal) =>
        Assert.Equal(refusal, AppendValidator.CheckCommand(Command(offset, body, size), Settings)?.Kind.ToString());

    [Theory]
    [InlineData(long.MaxValue, 1L, null, null)]
    [InlineData(9L, 2L, 10L, null)]
    [InlineData(5L, 0L, 1001L, "TooLarge")]
    public void T21_to_an_upload_that_the_server_has_named_the_upload_itself_is_asked_first(long offset, long? body, long? size, string? refusal) =>
        Assert.Equal(refusal, AppendValidator.CheckCommand(Command(offset, body, size) with { CreateIfMissing = null }, Settings)?.Kind.ToString());

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
    [InlineData(5L, 996L, null, 5L, null, "TooLarge")]
    public void F4_and_F5_a_request_is_checked_against_the_upload(long offset, long? body, long? size, long held, long? length, string? refusal)
    {
        UploadResult? outcome = AppendValidator.CheckAgainstUpload(Command(offset, body, size), Upload(held, length), Settings);
        Assert.Equal(refusal, outcome?.Kind.ToString());
        Assert.Equal(refusal is null ? null : held, outcome?.Offset);
    }

    [Theory]
    [InlineData("AtLength", "Whole", 10L, 10L, true)]
    [InlineData("AtLength", "Whole", 9L, 10L, false)]
    [InlineData("AtLength", "Whole", 10L, null, false)]
    [InlineData("AtLength", "Disconnected", 10L, 10L, true)]
    [InlineData("AtLength", "TakenOver", 10L, 10L, true)]
    [InlineData("AtLength", "Overshoot", 10L, 10L, false)]
    [InlineData("AtLengthOrWholeBody", "Whole", 10L, null, true)]
    [InlineData("AtLengthOrWholeBody", "Disconnected", 10L, null, false)]
    [InlineData("AtLengthOrWholeBody", "Idle", 10L, null, false)]
    [InlineData("AtLengthOrWholeBody", "Whole", 9L, 10L, false)]
    [InlineData("AtLengthOrWholeBody", "Whole", 10L, 10L, true)]
    [InlineData("AtLengthOrWholeBody", "Overshoot", 10L, 10L, false)]
    [InlineData("AtLengthOrWholeBody", "Overshoot", 10L, null, false)]
    [InlineData("AtWholeBody", "Whole", 10L, null, true)]
    [InlineData("AtWholeBody", "Whole", 9L, 10L, false)]
    [InlineData("AtWholeBody", "Disconnected", 10L, 10L, false)]
    [InlineData("Never", "Whole", 10L, 10L, false)]
    public void F6_an_upload_is_finished_by_its_rule(string rule, string end, long offset, long? length, bool completes) =>
        Assert.Equal(completes, AppendValidator.CompletesUpload(Enum.Parse<CompletionRule>(rule), Enum.Parse<BodyEndReason>(end), offset, length));

    private static AppendCommand Command(long offset, long? body, long? size) => new()
    {
        Key = new UploadKey("o", "i"),
        Offset = offset,
        Body = PipeReader.Create(Stream.Null),
        BodyLength = body,
        UploadLength = size,
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
