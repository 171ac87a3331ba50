namespace ResumableUploads.Cli;

/// <summary>The exit codes of the command.</summary>
internal enum ExitCode
{
    /// <summary>Everything has succeeded.</summary>
    Succeeded = 0,

    /// <summary>At least one file has failed.</summary>
    Failed = 1,

    /// <summary>The arguments are wrong, or a file does not exist. Nothing was sent.</summary>
    Usage = 2,

    /// <summary>The run was paused by Ctrl-C or SIGTERM.</summary>
    Paused = 3,

    /// <summary>The server requires authentication.</summary>
    SignedOut = 4,

    /// <summary>The server did not respond, or could not complete the upload, until the last retry. A later run can continue.</summary>
    Unavailable = 5,
}
