using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Options.Validation;

/// <summary>Collects the failures of one validation. Each names the option by its configuration key.</summary>
internal sealed class OptionChecks
{
    private readonly string _section;

    public OptionChecks() : this("ResumableUploads", [])
    {
    }

    private OptionChecks(string section, List<string> failures) => (_section, Failures) = (section, failures);

    public List<string> Failures { get; }

    /// <summary>Returns the checks of a group of options. They share the list of failures.</summary>
    public OptionChecks In(string group) => new($"{_section}:{group}", Failures);

    public void Fail(string option, string problem) => Failures.Add($"{_section}:{option} {problem}");

    public void Path(string option, string? path)
    {
        if (string.IsNullOrEmpty(path) || path[0] != '/' || path.AsSpan().TrimEnd('/').IsEmpty)
        {
            Fail(option, $"is '{path}'. A path must start with '/' and contain at least one other character.");
        }
    }

    public void Positive(string option, long value)
    {
        if (value <= 0)
        {
            Fail(option, $"is {value}. It must be greater than 0.");
        }
    }

    public void Positive(string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            Fail(option, $"is {value}. It must be greater than 0.");
        }
    }

    /// <summary>Checks that a value is not negative and does not exceed another option.</summary>
    public void Between(string option, long value, long max, string maxOption)
    {
        // An invalid maximum is reported under its own name.
        if (value < 0 || value > Math.Max(max, 0))
        {
            Fail(option, $"is {value}. It must be between 0 and {max}, the value of {maxOption}.");
        }
    }

    public void Between(string option, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            Fail(option, $"is {value}. It must be between {min} and {max}.");
        }
    }

    public void Timer(string option, TimeSpan value, TimeSpan max, TimeSpan min = default)
    {
        if (value <= TimeSpan.Zero || value < min || value > max)
        {
            string range = min > TimeSpan.Zero ? $"at least {min.TotalSeconds} s" : "greater than 0";
            Fail(option, $"is {value}. It must be {range} and at most {max.Days} days.");
        }
    }

    /// <summary>Checks that a text is a path of this operating system.</summary>
    public void Directory(string option, string path)
    {
        if (string.IsNullOrWhiteSpace(path))
        {
            Fail(option, "is empty.");
        }
        else if (ContentRoot.IsPathOfOtherSystem(path))
        {
            Fail(option, $"is '{path}', a Windows path. This system does not have drives, and separates directories by '/'.");
        }
    }

    public void Defined<T>(string option, T value) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            Fail(option, $"is {value}. Use one of: {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }
}
