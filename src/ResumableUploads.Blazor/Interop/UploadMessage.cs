namespace ResumableUploads.Blazor.Interop;

/// <summary>What has happened in the browser since the previous message.</summary>
internal sealed record UploadMessage
{
    /// <summary>Gets the number of the message. A message that was not acknowledged in time is sent again with the same number.</summary>
    public required long Sequence { get; init; }

    public required IReadOnlyList<ElementEvent> Events { get; init; }

    public ReportedProgress? Progress { get; init; }
}

/// <summary>An event of one upload.</summary>
internal sealed record ElementEvent
{
    public required ElementEventKind Kind { get; init; }

    public required BrowserUpload Upload { get; init; }

    /// <summary>Gets the state of the same upload in the event before.</summary>
    public BrowserUploadState? PreviousState { get; init; }
}

internal enum ElementEventKind
{
    State,
    Removed,
    SignIn,
}

/// <summary>The progress as JavaScript reports it.</summary>
internal sealed record ReportedProgress
{
    public long Offset { get; init; }

    public long Size { get; init; }

    public int Total { get; init; }

    public int Completed { get; init; }

    public int Failed { get; init; }

    public double BytesPerSecond { get; init; }

    public double? SecondsLeft { get; init; }

    public required IReadOnlyList<BrowserUpload> Running { get; init; }

    public BrowserUploadProgress ToProgress() => new()
    {
        Offset = Offset,
        Size = Size,
        Total = Total,
        Completed = Completed,
        Failed = Failed,
        BytesPerSecond = BytesPerSecond,
        TimeLeft = SecondsLeft is >= 0 and < 1e9 ? TimeSpan.FromSeconds(SecondsLeft.Value) : null,
        Running = Running,
    };
}

/// <summary>What the JavaScript module needs to know about its component.</summary>
internal sealed record UploadSettings
{
    public bool ReportsProgress { get; init; }

    public bool HandlesSignIn { get; init; }

    public bool ProvidesHeaders { get; init; }

    public int MaxResponseBodySize { get; init; }

    public IReadOnlyDictionary<string, string>? Texts { get; init; }

    public BrowserUploadOptions? Options { get; init; }
}
